/** The Internet checksum: RFC 1071, and RFC 1624 for changing one without the data. */
import { get16, get8 } from './bytes.js';

/** The checksum over `bytes[start]` to `bytes[end - 1]`. Over data that contains its own checksum it is 0. */
export function checksum(bytes: Uint8Array, start: number, end: number): number {
  let sum = 0;
  let at = start;
  for (; at + 1 < end; at += 2) sum += get16(bytes, at);
  if (at < end) sum += get8(bytes, at) << 8;
  return ~fold(sum) & 0xffff;
}

/**
 * What the checksum of a TCP or UDP header must hold for a NIC to complete it: the sum over the pseudo header (RFC 768, RFC 9293)
 * of an IPv4 packet, which is not complemented.
 *
 * @param ip where the IPv4 header starts
 * @param length bytes of the TCP or UDP header and all behind it
 */
export function pseudoHeaderSum(bytes: Uint8Array, ip: number, length: number): number {
  let sum = get8(bytes, ip + 9) + length;
  for (let at = ip + 12; at < ip + 20; at += 2) sum += get16(bytes, at);
  return fold(sum);
}

/** The checksum after one 16-bit word of the data changed from `before` to `after` (RFC 1624, equation 3). */
export function updateChecksum(old: number, before: number, after: number): number {
  return ~fold((~old & 0xffff) + (~before & 0xffff) + after) & 0xffff;
}

function fold(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded & 0xffff) + (folded >>> 16);
  return folded;
}
