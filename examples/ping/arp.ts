/** ARP over Ethernet for IPv4 (RFC 826): who has this IP address? */
import { copy, equal, get16, get8, put16 } from './bytes.js';
import {
  answerHeader,
  ETHERNET_ADDRESS,
  ETHERNET_HEADER,
  EtherType,
  isStationAddress,
  type Station,
} from './ethernet.js';

const ARP_BYTES = 28;

/** Where the fields are, from the start of the frame. */
const Arp = {
  HARDWARE_TYPE: ETHERNET_HEADER,
  PROTOCOL_TYPE: ETHERNET_HEADER + 2,
  HARDWARE_LENGTH: ETHERNET_HEADER + 4,
  PROTOCOL_LENGTH: ETHERNET_HEADER + 5,
  OPERATION: ETHERNET_HEADER + 6,
  SENDER_MAC: ETHERNET_HEADER + 8,
  SENDER_IP: ETHERNET_HEADER + 14,
  TARGET_MAC: ETHERNET_HEADER + 18,
  TARGET_IP: ETHERNET_HEADER + 24,
} as const;

const HARDWARE_ETHERNET = 1;
const REQUEST = 1;
const REPLY = 2;

/** Writes the answer to an ARP request for our address and returns its length, or 0 for anything else. */
export function answerArp(frame: Uint8Array, length: number, reply: Uint8Array, station: Station): number {
  if (length < ETHERNET_HEADER + ARP_BYTES) return 0;
  if (get16(frame, Arp.HARDWARE_TYPE) !== HARDWARE_ETHERNET) return 0;
  if (get16(frame, Arp.PROTOCOL_TYPE) !== EtherType.IPV4) return 0;
  if (get8(frame, Arp.HARDWARE_LENGTH) !== 6 || get8(frame, Arp.PROTOCOL_LENGTH) !== 4) return 0;
  if (get16(frame, Arp.OPERATION) !== REQUEST) return 0;
  if (!equal(frame, Arp.TARGET_IP, station.ip, 0, 4)) return 0;
  if (!isStationAddress(frame, Arp.SENDER_MAC)) return 0;
  // Somebody else announces our address as theirs: answering would only start a fight over it.
  if (equal(frame, Arp.SENDER_IP, station.ip, 0, 4)) return 0;

  answerHeader(reply, frame, Arp.SENDER_MAC, station);
  copy(reply, Arp.HARDWARE_TYPE, frame, Arp.HARDWARE_TYPE, 6);
  put16(reply, Arp.OPERATION, REPLY);
  copy(reply, Arp.SENDER_MAC, station.mac, 0, ETHERNET_ADDRESS);
  copy(reply, Arp.SENDER_IP, station.ip, 0, 4);
  copy(reply, Arp.TARGET_MAC, frame, Arp.SENDER_MAC, ETHERNET_ADDRESS + 4);
  return ETHERNET_HEADER + ARP_BYTES;
}
