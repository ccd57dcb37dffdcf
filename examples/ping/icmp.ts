/** ICMP echo (RFC 792): what `ping` asks, and the answer. */
import { copy, get16, get8, put16 } from './bytes.js';
import { checksum, updateChecksum } from './checksum.js';
import { answerHeader, Ethernet, ETHERNET_HEADER, isStationAddress, type Station } from './ethernet.js';
import { answerIpv4, Ipv4, IPV4_HEADER, packetEnd, payloadStart } from './ipv4.js';

const ICMP_HEADER = 8;
const PROTOCOL_ICMP = 1;
/** Type and code, read as one 16-bit word. */
const ECHO_REQUEST = 0x0800;
const ECHO_REPLY = 0x0000;

/** Writes the answer to an echo request for us and returns its length, or 0 for anything else. */
export function answerEcho(frame: Uint8Array, length: number, reply: Uint8Array, station: Station): number {
  const start = payloadStart(frame, length, station);
  if (start === 0 || get8(frame, Ipv4.PROTOCOL) !== PROTOCOL_ICMP) return 0;
  if (!isStationAddress(frame, Ethernet.SOURCE)) return 0;
  const bytes = packetEnd(frame) - start;
  if (bytes < ICMP_HEADER || get16(frame, start) !== ECHO_REQUEST) return 0;
  if (checksum(frame, start, start + bytes) !== 0) return 0;
  // The reply leaves out the request's IP options, so it is never longer than the request.
  const at = ETHERNET_HEADER + IPV4_HEADER;

  answerHeader(reply, frame, Ethernet.SOURCE, station);
  answerIpv4(reply, frame, bytes, station);
  copy(reply, at, frame, start, bytes);
  put16(reply, at, ECHO_REPLY);
  // Only the type changes, so the checksum need not be computed anew.
  put16(reply, at + 2, updateChecksum(get16(frame, start + 2), ECHO_REQUEST, ECHO_REPLY));
  return at + bytes;
}
