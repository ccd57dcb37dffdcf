/** The PHY, which firmware and the other ports' drivers use, too. */
import { setTimeout as sleep } from 'node:timers/promises';
import { negotiateAnew } from '../intel/mdic.js';
import { type IgbRegisters } from './registers.js';

const OWNERSHIP_MS = 200;

/**
 * Powers the PHY up, for the last driver may have switched it off, and makes it negotiate the link anew. That takes
 * some seconds on a cable; the link's coming up then is an interrupt.
 */
export async function restartLink(regs: IgbRegisters): Promise<void> {
  const resource = 1 << (1 + regs.STATUS.get('LAN_ID'));
  await own(regs, resource);
  try {
    await negotiateAnew(regs.MDIC);
  } finally {
    await withSemaphore(regs, () => regs.SW_FW_SYNC.write(regs.SW_FW_SYNC.read() & ~resource));
  }
}

/** Takes something that firmware and the other ports use, too. Its bit for firmware is 16 above the one for software. */
async function own(regs: IgbRegisters, resource: number): Promise<void> {
  const { SW_FW_SYNC: sync } = regs;
  const deadline = performance.now() + OWNERSHIP_MS;
  for (;;) {
    const taken = await withSemaphore(regs, () => {
      const owned = sync.read();
      if ((owned & (resource | (resource << 16))) !== 0) return false;
      sync.write(owned | resource);
      return true;
    });
    if (taken) return;
    if (performance.now() > deadline)
      throw new Error(`Firmware or another driver kept the PHY for ${OWNERSHIP_MS} ms.`);
    await sleep(1);
  }
}

/** Does something while neither another port's driver (SMBI) nor firmware (SWESMBI) changes what is owned. */
async function withSemaphore<T>({ SWSM }: IgbRegisters, work: () => T): Promise<T> {
  const deadline = performance.now() + OWNERSHIP_MS;
  // Reading SMBI as 0 is what takes it. Of a driver that died with it, it is taken over in the end.
  while (SWSM.get('SMBI') === 1 && performance.now() < deadline) await sleep(1);
  try {
    for (;;) {
      SWSM.update({ SWESMBI: 1 });
      if (SWSM.get('SWESMBI') === 1) break;
      if (performance.now() > deadline + OWNERSHIP_MS)
        throw new Error(`Firmware kept the semaphore for ${OWNERSHIP_MS} ms.`);
      await sleep(1);
    }
    return work();
  } finally {
    SWSM.update({ SMBI: 0, SWESMBI: 0 });
  }
}
