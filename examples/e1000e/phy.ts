/** The PHY, reached through one MAC register: MDIC (10.2.2.7). */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Registers } from 'vfio';
import { CONTROL, negotiatingAnew } from '../nic/mii.js';
import { Mdic, MDIO_SOFTWARE_OWNERSHIP, Reg } from './registers.js';

/** The 82574's own PHY has this address. */
const PHY_ADDRESS = 1;
const ACCESS_MS = 10;
const OWNERSHIP_MS = 200;

/**
 * Powers the PHY up, for the last driver may have switched it off, and makes it negotiate the link anew. That takes
 * some seconds on a cable; the link's coming up then is an interrupt.
 */
export async function restartLink(registers: Registers): Promise<void> {
  await takeOwnership(registers);
  try {
    const control = await readPhy(registers, CONTROL);
    await writePhy(registers, CONTROL, negotiatingAnew(control));
  } finally {
    registers.write32(Reg.EXTCNF_CTRL, registers.read32(Reg.EXTCNF_CTRL) & ~MDIO_SOFTWARE_OWNERSHIP);
  }
}

async function readPhy(registers: Registers, register: number): Promise<number> {
  return (await access(registers, register, Mdic.READ)) & Mdic.DATA_MASK;
}

async function writePhy(registers: Registers, register: number, value: number): Promise<void> {
  await access(registers, register, Mdic.WRITE | value);
}

async function access(registers: Registers, register: number, command: number): Promise<number> {
  const where = (register << Mdic.REGISTER_SHIFT) | (PHY_ADDRESS << Mdic.PHY_SHIFT);
  registers.write32(Reg.MDIC, command | where);
  const deadline = performance.now() + ACCESS_MS;
  for (;;) {
    const answer = registers.read32(Reg.MDIC);
    if ((answer & Mdic.ERROR) !== 0) throw new Error(`The PHY has no register ${register}.`);
    if ((answer & Mdic.READY) !== 0) return answer;
    if (performance.now() > deadline) throw new Error(`The PHY did not answer within ${ACCESS_MS} ms.`);
    await sleep(1);
  }
}

/** Firmware uses MDIC too: the ownership bit can be set only while firmware does not have it. */
async function takeOwnership(registers: Registers): Promise<void> {
  const deadline = performance.now() + OWNERSHIP_MS;
  for (;;) {
    registers.write32(Reg.EXTCNF_CTRL, registers.read32(Reg.EXTCNF_CTRL) | MDIO_SOFTWARE_OWNERSHIP);
    if ((registers.read32(Reg.EXTCNF_CTRL) & MDIO_SOFTWARE_OWNERSHIP) !== 0) return;
    if (performance.now() > deadline) throw new Error(`Firmware kept the PHY for ${OWNERSHIP_MS} ms.`);
    await sleep(1);
  }
}
