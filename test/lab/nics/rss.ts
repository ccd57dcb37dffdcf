/** Which queue of an 82576 a datagram goes to, computed from the definition. */
import { RSS_KEY } from '../../../examples/igb/rss.js';
import { PORT, type Wire } from './wire.js';

/** The Toeplitz hash, straight from its definition: for each bit of the input that is set, 32 bits of the key. */
export function toeplitz(input: Uint8Array): number {
  let hash = 0;
  for (let i = 0; i < 8 * input.length; i++) {
    if ((((input[i >> 3] ?? 0) >> (7 - (i & 7))) & 1) === 0) continue;
    for (let bit = 0; bit < 32; bit++) {
      const at = i + bit;
      hash ^= (((RSS_KEY[at >> 3] ?? 0) >> (7 - (at & 7))) & 1) << (31 - bit);
    }
  }
  return hash >>> 0;
}

/** The queue, of so many, for a datagram from the kernel's socket to a port of ours. */
export function queueFor(wire: Wire, port: number, queues: number): number {
  const ip = (text: string): number[] => text.split('.').map(Number);
  const ports = [PORT, port].flatMap(value => [value >> 8, value & 0xff]);
  return (toeplitz(Uint8Array.of(...ip(wire.peerIp), ...ip(wire.ourIp), ...ports)) & 127) % queues;
}
