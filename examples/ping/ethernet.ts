/** The Ethernet header: destination, source, type. */
import { copy, equal, get8 } from './bytes.js';

export const ETHERNET_HEADER = 14;
export const ETHERNET_ADDRESS = 6;
/** Without VLAN tag and CRC: 1500 bytes of payload. */
export const ETHERNET_MAX_FRAME = 1514;

/** Where the fields are. */
export const Ethernet = { DESTINATION: 0, SOURCE: 6, TYPE: 12 } as const;
/** A VLAN-tagged frame has type 0x8100 or 0x88a8 here and is therefore neither of these. */
export const EtherType = { IPV4: 0x0800, ARP: 0x0806 } as const;

/** Who we are on the wire. */
export interface Station {
  /** Six bytes. */
  readonly mac: Uint8Array;
  /** Four bytes. */
  readonly ip: Uint8Array;
}

export function isForUs(frame: Uint8Array, station: Station): boolean {
  return equal(frame, Ethernet.DESTINATION, station.mac, 0, ETHERNET_ADDRESS);
}

export function isBroadcast(frame: Uint8Array): boolean {
  for (let i = 0; i < ETHERNET_ADDRESS; i++) {
    if (get8(frame, Ethernet.DESTINATION + i) !== 0xff) return false;
  }
  return true;
}

/** Whether an address may be somebody's: not a group address, not all zeroes. */
export function isStationAddress(bytes: Uint8Array, at: number): boolean {
  if ((get8(bytes, at) & 1) !== 0) return false;
  for (let i = 0; i < ETHERNET_ADDRESS; i++) {
    if (get8(bytes, at + i) !== 0) return true;
  }
  return false;
}

/** Writes the header of an answer: from us, to whoever is at `request[toAt]`, with the type of the request. */
export function answerHeader(reply: Uint8Array, request: Uint8Array, toAt: number, station: Station): void {
  copy(reply, Ethernet.DESTINATION, request, toAt, ETHERNET_ADDRESS);
  copy(reply, Ethernet.SOURCE, station.mac, 0, ETHERNET_ADDRESS);
  copy(reply, Ethernet.TYPE, request, Ethernet.TYPE, 2);
}
