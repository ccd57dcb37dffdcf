/** Datagrams in frames, and frames turned round: for threads that receive them. */
import { HEADERS } from '../support/udp.js';
import type { Received } from './wire.js';

/** The datagram in a frame, copied; undefined for what is not UDP. */
export function udpOf(bytes: Uint8Array): Received | undefined {
  const frame = Buffer.from(bytes);
  if (frame.readUInt16BE(12) !== 0x0800 || frame[23] !== 17) return undefined;
  return {
    payload: frame.subarray(HEADERS, 14 + frame.readUInt16BE(16)),
    port: frame.readUInt16BE(36),
  };
}

/** Exchanges the ends of an IPv4 datagram, with its ports. No checksum changes by it. */
export function swapEnds(memory: Uint8Array, at: number): void {
  swap(memory, at, at + 6, 6);
  swap(memory, at + 26, at + 30, 4);
  swap(memory, at + 34, at + 36, 2);
}

function swap(memory: Uint8Array, a: number, b: number, length: number): void {
  const kept = memory.slice(a, a + length);
  memory.copyWithin(a, b, b + length);
  memory.set(kept, b);
}
