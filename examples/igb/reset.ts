/** Stopping and resetting the device. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type IgbRegisters } from './registers.js';

/** Transactions under way end within this time; a device that needs longer is reset all the same. */
const DMA_DRAIN_MS = 80;
const RESET_MS = 200;
const EEPROM_MS = 20;
const ALL = 0xffff_ffff;

/**
 * Brings the device to a known state whatever its last driver left behind: no interrupts, no receiving or sending, no DMA
 * under way, registers at their reset values.
 */
export async function reset(regs: IgbRegisters): Promise<void> {
  await stop(regs);
  regs.CTRL.update({ RESET: 1 });
  // No register may be accessed at once; a millisecond is the shortest sleep there is.
  await sleep(1);
  if (!(await within(RESET_MS, () => regs.CTRL.get('RESET') === 0)))
    throw new Error(`The 82576 did not reset: CTRL.RST did not clear in ${RESET_MS} ms.`);
  // A card without an EEPROM never says that it has read it, and QEMU's does not either: whether there is an address will tell.
  await within(EEPROM_MS, () => regs.EECD.get('AUTO_READ_DONE') === 1);
  // The reset may itself have raised a cause and says nothing about the masks.
  maskInterrupts(regs);
  for (const word of regs.MTA) word.write(0);
  regs.CTRL.set({ FULL_DUPLEX: 1, SET_LINK_UP: 1 });
  regs.CTRL_EXT.update({ DRIVER_LOADED: 1 });
}

/** Ends all interrupts and all DMA of the device. Its settings stay. */
export async function stop(regs: IgbRegisters): Promise<void> {
  maskInterrupts(regs);
  regs.RCTL.write(0);
  regs.TCTL.write(0);
  for (const queue of regs.RXDCTL) queue.write(0);
  for (const queue of regs.TXDCTL) queue.write(0);
  // No new requests, then wait for the last one.
  regs.CTRL.update({ GIO_MASTER_DISABLE: 1 });
  const deadline = performance.now() + DMA_DRAIN_MS;
  while (regs.STATUS.get('GIO_MASTER_ENABLE') === 1 && performance.now() < deadline) await sleep(1);
}

function maskInterrupts(regs: IgbRegisters): void {
  regs.IMC.write(ALL);
  regs.EIMC.write(ALL);
  regs.ICR.clear();
  regs.EICR.clear();
}

/** Waits for something that a reset brings about; false when it does not come in time. */
async function within(limitMs: number, done: () => boolean): Promise<boolean> {
  const deadline = performance.now() + limitMs;
  while (!done()) {
    if (performance.now() > deadline) return false;
    await sleep(1);
  }
  return true;
}
