/** What a frame is answered with. Pure: bytes in, bytes out. */
import { answerArp } from './arp.js';
import { get16 } from './bytes.js';
import { Ethernet, ETHERNET_HEADER, EtherType, isBroadcast, isForUs, type Station } from './ethernet.js';
import { answerEcho } from './icmp.js';

/**
 * Writes the answer to the frame `frame[0]` to `frame[length - 1]` into `reply` and returns its length, or 0 when the
 * frame asks nothing of us. `reply` has room for at least as many bytes as the frame has. A frame may hold anything:
 * every field is checked before it is used.
 */
export function answer(frame: Uint8Array, length: number, reply: Uint8Array, station: Station): number {
  if (length < ETHERNET_HEADER || length > frame.length) return 0;
  const forUs = isForUs(frame, station);
  switch (get16(frame, Ethernet.TYPE)) {
    case EtherType.ARP:
      return forUs || isBroadcast(frame) ? answerArp(frame, length, reply, station) : 0;
    case EtherType.IPV4:
      // Echo requests to a broadcast address stay unanswered (RFC 1122, 3.2.2.6 allows it): no amplification.
      return forUs ? answerEcho(frame, length, reply, station) : 0;
    default:
      return 0;
  }
}
