/** The PHY, which firmware uses, too. */
import { setTimeout as sleep } from 'node:timers/promises';
import { negotiateAnew } from '../intel/mdic.js';
import { type E1000eRegisters } from './registers.js';

const OWNERSHIP_MS = 200;

/**
 * Powers the PHY up, for the last driver may have switched it off, and makes it negotiate the link anew. That takes
 * some seconds on a cable; the link's coming up then is an interrupt.
 */
export async function restartLink(regs: E1000eRegisters): Promise<void> {
  await takeOwnership(regs);
  try {
    await negotiateAnew(regs.MDIC);
  } finally {
    regs.EXTCNF_CTRL.update({ MDIO_SOFTWARE_OWNERSHIP: 0 });
  }
}

/** Firmware uses MDIC too: the ownership bit can be set only while firmware does not have it. */
async function takeOwnership({ EXTCNF_CTRL }: E1000eRegisters): Promise<void> {
  const deadline = performance.now() + OWNERSHIP_MS;
  for (;;) {
    EXTCNF_CTRL.update({ MDIO_SOFTWARE_OWNERSHIP: 1 });
    if (EXTCNF_CTRL.get('MDIO_SOFTWARE_OWNERSHIP') === 1) return;
    if (performance.now() > deadline) throw new Error(`Firmware kept the PHY for ${OWNERSHIP_MS} ms.`);
    await sleep(1);
  }
}
