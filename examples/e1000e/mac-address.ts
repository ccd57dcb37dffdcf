/** Where the device keeps its Ethernet address (10.2.5.22 and 10.2.5.23). */
import { type Registers } from 'vfio';
import { macFromWords } from '../nic/mac.js';
import { RAH_ADDRESS_VALID, Reg } from './registers.js';

/** The address that the reset loaded from the NVM into the first receive-address pair. */
export function readMacAddress(registers: Registers): Uint8Array {
  const low = registers.read32(Reg.RAL0);
  const high = registers.read32(Reg.RAH0);
  if ((high & RAH_ADDRESS_VALID) === 0)
    throw new Error('The 82574L has no address: its NVM is empty or damaged.');
  return macFromWords(low, high);
}
