/** Stopping and resetting the device: 3.1.3.10 and 4.6.3. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Registers } from 'vfio';
import { Cause, Ctrl, CtrlExt, EEC_AUTO_READ_DONE, MTA_WORDS, Reg, Status } from './registers.js';

/** Transactions under way end within this time; a device that needs longer is reset all the same. */
const DMA_DRAIN_MS = 80;
const RESET_MS = 200;
/** What interrupt moderation (EITR) holds back comes within this time; MSI-X must still be there to take it. */
const MODERATION_MS = 2;

/**
 * Brings the device to a known state whatever its last driver left behind: no interrupts, no receiving or sending, no
 * DMA under way, registers at their reset values.
 */
export async function reset(registers: Registers): Promise<void> {
  await stop(registers);

  registers.write32(Reg.CTRL, registers.read32(Reg.CTRL) | Ctrl.RESET);
  // The datasheet allows no register access in the first microsecond; a millisecond is the shortest sleep there is.
  await sleep(1);
  await until(() => (registers.read32(Reg.CTRL) & Ctrl.RESET) === 0, RESET_MS, 'CTRL.RST did not clear');
  await until(() => (registers.read32(Reg.EEC) & EEC_AUTO_READ_DONE) !== 0, RESET_MS, 'the NVM was not read');

  // 4.6.3.1: the reset may itself have raised a cause and says nothing about the mask, so both are cleared again.
  maskInterrupts(registers);
  for (let i = 0; i < MTA_WORDS; i++) registers.write32(Reg.MTA + 4 * i, 0);
  // 10.2.2.1: full duplex is what the PHY negotiates; set-link-up lets the MAC see the PHY's link at all.
  registers.write32(Reg.CTRL, Ctrl.FULL_DUPLEX | Ctrl.SET_LINK_UP);
  registers.write32(Reg.CTRL_EXT, registers.read32(Reg.CTRL_EXT) | CtrlExt.DRIVER_LOADED);
}

/** Ends all interrupts and all DMA of the device. Its settings stay. */
export async function stop(registers: Registers): Promise<void> {
  maskInterrupts(registers);
  await sleep(MODERATION_MS);
  registers.write32(Reg.RCTL, 0);
  registers.write32(Reg.TCTL, 0);
  // 3.1.3.10: no new requests, then wait for the last one.
  registers.write32(Reg.CTRL, registers.read32(Reg.CTRL) | Ctrl.GIO_MASTER_DISABLE);
  const deadline = performance.now() + DMA_DRAIN_MS;
  while ((registers.read32(Reg.STATUS) & Status.GIO_MASTER_ENABLE) !== 0 && performance.now() < deadline) {
    await sleep(1);
  }
}

function maskInterrupts(registers: Registers): void {
  registers.write32(Reg.IMC, Cause.ALL);
  // Writing ones clears causes; a read would clear them only under conditions (10.2.4.1).
  registers.write32(Reg.ICR, Cause.ALL);
}

async function until(done: () => boolean, limitMs: number, complaint: string): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!done()) {
    if (performance.now() > deadline)
      throw new Error(`The 82574L did not reset: ${complaint} in ${limitMs} ms.`);
    await sleep(1);
  }
}
