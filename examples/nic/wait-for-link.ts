import { setTimeout as sleep } from 'node:timers/promises';
import { type IrqVector } from 'vfio';
import { type LinkState } from 'vfio/kit';

/** How long to wait. */
export interface LinkOptions {
  timeoutMs: number;
  signal?: AbortSignal;
}

const LOOK_MS = 20;

/**
 * Sleeps until the link is up, woken by interrupts.
 *
 * @param look at the link, with the interrupt armed before: a link that comes up in between interrupts
 * @param changed the vector that then fires
 * @param hint a question for who waited in vain
 * @throws Error when the time is over
 */
export async function waitForLink(
  look: () => LinkState,
  changed: IrqVector,
  hint: string,
  options: LinkOptions,
): Promise<LinkState> {
  const deadline = performance.now() + options.timeoutMs;
  for (;;) {
    const state = look();
    if (state.up) return state;
    const timeoutMs = Math.max(1, Math.ceil(deadline - performance.now()));
    try {
      await changed.wait({ ...options, timeoutMs });
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'ERR_VFIO_TIMEOUT') throw error;
      throw new Error(`No link after ${options.timeoutMs} ms: ${hint}`, { cause: error });
    }
  }
}

/** The same for a thread that has no interrupt for it: it looks every now and then. */
export async function pollForLink(look: () => LinkState, options: LinkOptions): Promise<LinkState> {
  const { timeoutMs, signal } = options;
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const state = look();
    if (state.up) return state;
    if (performance.now() > deadline) throw new Error(`No link after ${timeoutMs} ms.`);
    await sleep(LOOK_MS, undefined, { signal });
  }
}
