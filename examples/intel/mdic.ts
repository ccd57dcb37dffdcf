/** MDIC: the MAC register by which Intel's gigabit controllers reach the registers of their PHY (82574: 10.2.2.7). */
import { setTimeout as sleep } from 'node:timers/promises';
import { bit, bits, type ReadWriteRegister } from 'vfio/kit';
import { CONTROL, negotiatingAnew } from '../nic/mii.js';

export const MDIC = {
  offset: 0x00020,
  access: 'rw',
  fields: {
    DATA: bits(15, 0),
    REGISTER: bits(20, 16),
    PHY: bits(25, 21),
    OPERATION: bits(27, 26),
    READY: bit(28),
    ERROR: bit(30),
  },
} as const;

/** What it is asked for. */
const Operation = { WRITE: 1, READ: 2 } as const;
/** A port's own PHY has this address. */
const PHY_ADDRESS = 1;
const ACCESS_MS = 10;

type MdicRegister = ReadWriteRegister<(typeof MDIC)['fields']>;

/**
 * Powers the PHY up, for the last driver may have switched it off, and makes it negotiate the link anew. Firmware uses MDIC,
 * too: own it before.
 */
export async function negotiateAnew(mdic: MdicRegister): Promise<void> {
  const control = await access(mdic, Operation.READ, CONTROL);
  await access(mdic, Operation.WRITE, CONTROL, negotiatingAnew(control));
}

/** One access to a register of the PHY; returns its value. */
async function access(mdic: MdicRegister, operation: number, register: number, data = 0): Promise<number> {
  mdic.set({ OPERATION: operation, REGISTER: register, PHY: PHY_ADDRESS, DATA: data });
  const deadline = performance.now() + ACCESS_MS;
  for (;;) {
    const answer = mdic.read();
    if (mdic.extract('ERROR', answer) === 1) throw new Error(`The PHY has no register ${register}.`);
    if (mdic.extract('READY', answer) === 1) return mdic.extract('DATA', answer);
    if (performance.now() > deadline) throw new Error(`The PHY did not answer within ${ACCESS_MS} ms.`);
    await sleep(1);
  }
}
