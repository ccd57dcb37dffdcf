/** UDP datagrams with a number in them, as whole Ethernet frames. */
import { type TxChecksums } from 'vfio/kit';
import { put16 } from '../ping/bytes.js';
import { checksum, pseudoHeaderSum } from '../ping/checksum.js';
import { ETHERNET_HEADER, EtherType, Ethernet } from '../ping/ethernet.js';
import { Ipv4, IPV4_HEADER } from '../ping/ipv4.js';

const UDP = ETHERNET_HEADER + IPV4_HEADER;
/** Where the payload starts: a number of 32 bits, then bytes that depend on it. */
export const PAYLOAD = UDP + 8;
export const MIN_FRAME = PAYLOAD + 4;
export const MAX_FRAME = 1514;

export interface Flow {
  readonly sourceMac: Uint8Array;
  readonly targetMac: Uint8Array;
  readonly sourceIp: Uint8Array;
  readonly targetIp: Uint8Array;
  readonly sourcePort: number;
  readonly targetPort: number;
}

/** Where the checksums are, for a NIC that writes them. */
export const CHECKSUMS: TxChecksums = {
  ipv4: { start: ETHERNET_HEADER, length: IPV4_HEADER },
  transport: { protocol: 'udp', start: UDP },
};

/** Prepares a frame whose headers were written for a NIC that writes {@link CHECKSUMS}. */
export function leaveChecksums(frame: Uint8Array, length: number): void {
  put16(frame, Ipv4.CHECKSUM, 0);
  put16(frame, UDP + 6, pseudoHeaderSum(frame, ETHERNET_HEADER, length - UDP));
}

/** Writes everything that is the same in all frames of a flow. */
export function writeHeaders(frame: Uint8Array, length: number, flow: Flow): void {
  frame.set(flow.targetMac, Ethernet.DESTINATION);
  frame.set(flow.sourceMac, Ethernet.SOURCE);
  put16(frame, Ethernet.TYPE, EtherType.IPV4);
  frame.fill(0, ETHERNET_HEADER, PAYLOAD);
  frame[Ipv4.VERSION_AND_LENGTH] = 0x45;
  put16(frame, Ipv4.TOTAL_LENGTH, length - ETHERNET_HEADER);
  frame[Ipv4.TTL] = 64;
  frame[Ipv4.PROTOCOL] = 17;
  frame.set(flow.sourceIp, Ipv4.SOURCE);
  frame.set(flow.targetIp, Ipv4.DESTINATION);
  put16(frame, Ipv4.CHECKSUM, checksum(frame, ETHERNET_HEADER, UDP));
  put16(frame, UDP, flow.sourcePort);
  put16(frame, UDP + 2, flow.targetPort);
  put16(frame, UDP + 4, length - UDP);
  // A checksum of 0 says that there is none (RFC 768).
  put16(frame, UDP + 6, 0);
}

/** Numbers a frame. `memory` may be much larger than the frame, which starts at `at`. */
export function writeNumber(memory: Uint8Array, at: number, number: number): void {
  put16(memory, at + PAYLOAD, number >>> 16);
  put16(memory, at + PAYLOAD + 2, number);
}

/** What byte `i` of every payload is, from the fifth on. */
export function fillByte(i: number): number {
  return (i * 7 + 3) & 0xff;
}
