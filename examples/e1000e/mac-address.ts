/** Where the device keeps its Ethernet address (10.2.5.22 and 10.2.5.23). */
import { macFromWords } from '../nic/mac.js';
import { type E1000eRegisters } from './registers.js';

/** The address that the reset loaded from the NVM into the first receive-address pair. */
export function readMacAddress({ RAL0, RAH0 }: E1000eRegisters): Uint8Array {
  const low = RAL0.read();
  const high = RAH0.read();
  if (RAH0.extract('VALID', high) === 0)
    throw new Error('The 82574L has no address: its NVM is empty or damaged.');
  return macFromWords(low, high);
}
