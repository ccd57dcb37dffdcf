import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { Monitor, slotOf } from './monitor';

/** Whether the kernel sees the device. */
export const present = (address: string): boolean => fs.existsSync(`/sys/bus/pci/devices/${address}`);

/** Until the kernel sees the device, or does not. It looks at its slots at leisure, and waits for the button to be sure. */
export async function becomes(address: string, there: boolean): Promise<void> {
  for (let i = 0; i < 3000; i++) {
    if (present(address) === there) return;
    await pause(20);
  }
  assert.fail(`${address} is ${there ? 'not ' : ''}there`);
}

/** Pulls a card, which makes what `work` waits for happen, and puts it back in the end; returns the result of `work`. */
export async function pulling<T>(address: string, driver: string, work: () => Promise<T>): Promise<T> {
  using monitor = await Monitor.connect();
  const slot = slotOf(address);
  // First, as what it waits for may happen at once.
  const working = work();
  await monitor.unplug(slot);
  try {
    const [result] = await Promise.all([working, monitor.unplugged(slot)]);
    await becomes(address, false);
    return result;
  } finally {
    if (!present(address)) {
      await monitor.plug(slot, driver);
      await becomes(address, true);
    }
  }
}
