import { once } from 'node:events';
import type { IrqVector } from '../../lib/irq/irq-vector.js';

const TRIGGERS = 5000;

/**
 * Interrupts fired in software, until V8 has compiled what lies between them and their listeners: a device's own come too
 * slowly for that.
 */
export async function warmUp(vector: IrqVector): Promise<void> {
  for (let i = 0; i < TRIGGERS; i++) {
    const interrupt = once(vector, 'interrupt');
    vector.trigger();
    await interrupt;
  }
}
