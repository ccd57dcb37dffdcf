/**
 * Receive-side scaling: which queue a frame goes to is decided by a hash over its addresses and ports, so that the frames of
 * a connection stay together and in order.
 */
import { type IgbRegisters, QueueSelection } from './registers.js';

/**
 * The key of the hash: 40 bytes, of which any will do. This is the one that Microsoft's description of RSS has examples
 * for, so that results can be compared.
 */
export const RSS_KEY = Uint8Array.from(
  Buffer.from('6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c6a42b73bbeac01fa', 'hex'),
);

const TABLE_ENTRIES = 128;

/** Spreads what is received over so many queues; what is not IP goes to the first. */
export function startRss(regs: IgbRegisters, queues: number): void {
  for (let i = 0; i < TABLE_ENTRIES; i += 4) regs.RETA.at(i / 4).write(word(j => (i + j) % queues));
  for (let i = 0; i < RSS_KEY.length; i += 4) regs.RSSRK.at(i / 4).write(word(j => RSS_KEY[i + j] ?? 0));
  // The hash takes the place of a checksum in the descriptor; without that there is none.
  regs.RXCSUM.set({ PACKET_CHECKSUM_DISABLE: 1 });
  if (queues === 1) regs.MRQC.set({ MULTIPLE_QUEUES: QueueSelection.ONE });
  else {
    const hashed = { IPV4: 1, TCP_IPV4: 1, UDP_IPV4: 1, IPV6: 1, TCP_IPV6: 1, UDP_IPV6: 1 };
    regs.MRQC.set({ MULTIPLE_QUEUES: QueueSelection.RSS, ...hashed });
  }
}

/** Four bytes as one register has them. */
function word(byte: (index: number) => number): number {
  return (byte(0) | (byte(1) << 8) | (byte(2) << 16) | (byte(3) << 24)) >>> 0;
}
