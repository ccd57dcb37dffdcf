/** The IPv4 header (RFC 791): checking one, writing one, and addresses as text. */
import { copy, equal, get16, get8, put16 } from './bytes.js';
import { checksum } from './checksum.js';
import { ETHERNET_HEADER, type Station } from './ethernet.js';

/** Without options. */
export const IPV4_HEADER = 20;

/** Where the fields are, from the start of the frame. */
export const Ipv4 = {
  VERSION_AND_LENGTH: ETHERNET_HEADER,
  TOTAL_LENGTH: ETHERNET_HEADER + 2,
  FLAGS_AND_OFFSET: ETHERNET_HEADER + 6,
  TTL: ETHERNET_HEADER + 8,
  PROTOCOL: ETHERNET_HEADER + 9,
  CHECKSUM: ETHERNET_HEADER + 10,
  SOURCE: ETHERNET_HEADER + 12,
  DESTINATION: ETHERNET_HEADER + 16,
} as const;

const DONT_FRAGMENT = 0x4000;
const MORE_FRAGMENTS = 0x2000;
const OFFSET_MASK = 0x1fff;

/**
 * Where the payload of a whole, intact packet for us starts, or 0 when the frame is anything else: truncated, damaged,
 * a fragment (nothing here puts fragments together), for another address, or from one that cannot be answered.
 */
export function payloadStart(frame: Uint8Array, length: number, station: Station): number {
  if (length < ETHERNET_HEADER + IPV4_HEADER) return 0;
  const versionAndLength = get8(frame, Ipv4.VERSION_AND_LENGTH);
  const headerBytes = (versionAndLength & 0x0f) * 4;
  if (versionAndLength >> 4 !== 4 || headerBytes < IPV4_HEADER) return 0;
  const total = get16(frame, Ipv4.TOTAL_LENGTH);
  if (total < headerBytes || ETHERNET_HEADER + total > length) return 0;
  if (checksum(frame, ETHERNET_HEADER, ETHERNET_HEADER + headerBytes) !== 0) return 0;
  if ((get16(frame, Ipv4.FLAGS_AND_OFFSET) & (MORE_FRAGMENTS | OFFSET_MASK)) !== 0) return 0;
  if (!equal(frame, Ipv4.DESTINATION, station.ip, 0, 4)) return 0;
  if (!isHostAddress(frame, Ipv4.SOURCE) || equal(frame, Ipv4.SOURCE, station.ip, 0, 4)) return 0;
  return ETHERNET_HEADER + headerBytes;
}

/** Where the packet ends; behind it a short frame has padding. */
export function packetEnd(frame: Uint8Array): number {
  return ETHERNET_HEADER + get16(frame, Ipv4.TOTAL_LENGTH);
}

/** Writes the header of an answer to `request` with `payloadBytes` behind it. */
export function answerIpv4(
  reply: Uint8Array,
  request: Uint8Array,
  payloadBytes: number,
  station: Station,
): void {
  reply[Ipv4.VERSION_AND_LENGTH] = 0x45;
  reply[Ipv4.VERSION_AND_LENGTH + 1] = 0;
  put16(reply, Ipv4.TOTAL_LENGTH, IPV4_HEADER + payloadBytes);
  // A packet that is never fragmented needs no identification (RFC 6864).
  put16(reply, Ipv4.TOTAL_LENGTH + 2, 0);
  put16(reply, Ipv4.FLAGS_AND_OFFSET, DONT_FRAGMENT);
  reply[Ipv4.TTL] = 64;
  reply[Ipv4.PROTOCOL] = get8(request, Ipv4.PROTOCOL);
  put16(reply, Ipv4.CHECKSUM, 0);
  copy(reply, Ipv4.SOURCE, station.ip, 0, 4);
  copy(reply, Ipv4.DESTINATION, request, Ipv4.SOURCE, 4);
  put16(reply, Ipv4.CHECKSUM, checksum(reply, ETHERNET_HEADER, ETHERNET_HEADER + IPV4_HEADER));
}

/** Whether a single host can have the address: not 0.x, not 127.x, not multicast or above. */
function isHostAddress(bytes: Uint8Array, at: number): boolean {
  const first = get8(bytes, at);
  return first !== 0 && first !== 127 && first < 224;
}

/** The four bytes of `10.0.0.2`. Throws a `TypeError` for anything that is not an address of a host. */
export function parseIpv4(text: string): Uint8Array {
  const parts = text.split('.');
  const bytes = Uint8Array.from(parts, Number);
  if (parts.length !== 4 || !parts.every(part => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255)) {
    throw new TypeError(
      `'${text}' is not an IPv4 address: four numbers from 0 to 255 with dots between them.`,
    );
  }
  if (!isHostAddress(bytes, 0)) throw new TypeError(`${text} cannot be the address of a host.`);
  return bytes;
}

export function formatIpv4(bytes: Uint8Array): string {
  return bytes.join('.');
}
