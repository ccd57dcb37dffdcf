/** Frames as others on the wire would send them, built without the code under test. */

export const OUR_MAC = Uint8Array.of(0x52, 0x54, 0, 0, 0, 1);
export const OUR_IP = Uint8Array.of(10, 77, 0, 2);
export const THEIR_MAC = Uint8Array.of(0x52, 0x54, 0, 0, 0, 2);
export const THEIR_IP = Uint8Array.of(10, 77, 0, 1);
export const BROADCAST = new Uint8Array(6).fill(0xff);
export const station = { mac: OUR_MAC, ip: OUR_IP };

/** RFC 1071 by its definition: complement of the ones' complement sum, with a carry at each step. */
export function referenceChecksum(bytes: Uint8Array): number {
  const even = bytes.length % 2 === 0 ? bytes : Uint8Array.of(...bytes, 0);
  const view = new DataView(even.buffer, even.byteOffset, even.length);
  let sum = 0;
  for (let i = 0; i < even.length; i += 2) {
    sum += view.getUint16(i);
    if (sum > 0xffff) sum -= 0xffff;
  }
  return ~sum & 0xffff;
}

export function ethernet(
  destination: Uint8Array,
  source: Uint8Array,
  type: number,
  payload: Uint8Array,
): Uint8Array {
  return Uint8Array.of(...destination, ...source, type >> 8, type & 0xff, ...payload);
}

export function arpRequest(
  changes: Partial<Record<number, number>> = {},
  destination = BROADCAST,
): Uint8Array {
  const body = [0, 1, 8, 0, 6, 4, 0, 1, ...THEIR_MAC, ...THEIR_IP, 0, 0, 0, 0, 0, 0, ...OUR_IP];
  return change(ethernet(destination, THEIR_MAC, 0x0806, Uint8Array.from(body)), changes);
}

export interface EchoOptions {
  payload?: number;
  options?: number[];
  destination?: Uint8Array;
  source?: Uint8Array;
  toIp?: Uint8Array;
  fromIp?: Uint8Array;
  flags?: number;
  protocol?: number;
  type?: number;
  code?: number;
  /** Added to the true total length. */
  lengthError?: number;
}

/** An echo request with checksums that are right for whatever it contains. */
export function echoRequest(given: EchoOptions = {}): Uint8Array {
  const {
    payload = 56,
    options = [],
    flags = 0x4000,
    protocol = 1,
    type = 8,
    code = 0,
    lengthError = 0,
  } = given;
  const data = Uint8Array.from({ length: payload }, (_, i) => i & 0xff);
  const icmp = withChecksum(Uint8Array.of(type, code, 0, 0, 0x12, 0x34, 0, 7, ...data), 2);
  const headerBytes = 20 + options.length;
  const total = headerBytes + icmp.length + lengthError;
  const header = Uint8Array.of(
    ...[0x40 | (headerBytes / 4), 0, total >> 8, total & 0xff],
    ...[0xab, 0xcd, flags >> 8, flags & 0xff],
    ...[64, protocol, 0, 0],
    ...(given.fromIp ?? THEIR_IP),
    ...(given.toIp ?? OUR_IP),
    ...options,
  );
  const packet = Uint8Array.of(...withChecksum(header, 10), ...icmp);
  return ethernet(given.destination ?? OUR_MAC, given.source ?? THEIR_MAC, 0x0800, packet);
}

export function change(frame: Uint8Array, changes: Partial<Record<number, number>>): Uint8Array {
  const changed = frame.slice();
  for (const [at, value] of Object.entries(changes)) changed[Number(at)] = value ?? 0;
  return changed;
}

function withChecksum(bytes: Uint8Array, at: number): Uint8Array {
  const sum = referenceChecksum(bytes);
  bytes[at] = sum >> 8;
  bytes[at + 1] = sum & 0xff;
  return bytes;
}
