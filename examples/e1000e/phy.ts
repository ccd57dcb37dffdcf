/** The PHY, reached through one MAC register: MDIC (10.2.2.7). */
import { setTimeout as sleep } from 'node:timers/promises';
import { CONTROL, negotiatingAnew } from '../nic/mii.js';
import { type E1000eRegisters, PhyOperation } from './registers.js';

/** The 82574's own PHY has this address. */
const PHY_ADDRESS = 1;
const ACCESS_MS = 10;
const OWNERSHIP_MS = 200;

/**
 * Powers the PHY up, for the last driver may have switched it off, and makes it negotiate the link anew. That takes
 * some seconds on a cable; the link's coming up then is an interrupt.
 */
export async function restartLink(regs: E1000eRegisters): Promise<void> {
  await takeOwnership(regs);
  try {
    const control = await access(regs, PhyOperation.READ, CONTROL);
    await access(regs, PhyOperation.WRITE, CONTROL, negotiatingAnew(control));
  } finally {
    regs.EXTCNF_CTRL.update({ MDIO_SOFTWARE_OWNERSHIP: 0 });
  }
}

/** One access to a register of the PHY; returns its value. */
async function access(
  { MDIC }: E1000eRegisters,
  operation: number,
  register: number,
  data = 0,
): Promise<number> {
  MDIC.set({ OPERATION: operation, REGISTER: register, PHY: PHY_ADDRESS, DATA: data });
  const deadline = performance.now() + ACCESS_MS;
  for (;;) {
    const answer = MDIC.read();
    if (MDIC.extract('ERROR', answer) === 1) throw new Error(`The PHY has no register ${register}.`);
    if (MDIC.extract('READY', answer) === 1) return MDIC.extract('DATA', answer);
    if (performance.now() > deadline) throw new Error(`The PHY did not answer within ${ACCESS_MS} ms.`);
    await sleep(1);
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
