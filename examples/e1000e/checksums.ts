/**
 * Checksum offload: what the device found in received frames (7.1.3 for the bits of a descriptor), and writing them into frames
 * that are sent (7.2: a context descriptor says where the checksums are, the data descriptors after it ask for them).
 */
import {
  type ChecksumOffload,
  type FrameSender,
  RxChecksum,
  type RxRing,
  type TxChecksums,
  type TxRing,
  TxSender,
} from 'vfio/kit';
import { contextDescriptor, dataCommand, RxNote } from './descriptors.js';

/** Where the checksum is in each header. */
const IPV4_CHECKSUM = 10;
const TRANSPORT_CHECKSUM = { tcp: 16, udp: 6 } as const;
/** The descriptor has a byte for each place. */
const LAST_PLACE = 255;
const [SHORTEST_IPV4, LONGEST_IPV4] = [20, 60];

export class Checksums implements ChecksumOffload {
  readonly #notes: Uint32Array;

  /** @param rx a ring that keeps {@link RxNote} */
  constructor(
    rx: RxRing,
    private readonly tx: TxRing,
  ) {
    if (rx.notes === undefined) throw new TypeError('The receive ring must keep notes.');
    this.#notes = rx.notes;
  }

  received(i: number): number {
    const note = this.#notes[i] ?? RxNote.IGNORE_CHECKSUMS;
    if ((note & RxNote.IGNORE_CHECKSUMS) !== 0) return 0;
    let found = 0;
    if ((note & RxNote.IP_CHECKED) !== 0) {
      found |= (note & RxNote.IP_ERROR) !== 0 ? RxChecksum.IP_WRONG : RxChecksum.IP_GOOD;
    }
    // The device sets TCPCS for UDP, too, and UDPCS alone for fragments, whose sum is for software to make use of.
    if ((note & RxNote.TCP_CHECKED) !== 0) {
      found |= (note & RxNote.TRANSPORT_ERROR) !== 0 ? RxChecksum.TRANSPORT_WRONG : RxChecksum.TRANSPORT_GOOD;
    }
    return found;
  }

  sender({ ipv4, transport }: TxChecksums): FrameSender {
    if (ipv4 === undefined && transport === undefined) throw new TypeError('There is no checksum to write.');
    if (ipv4 !== undefined) {
      checkPlace('ipv4.length', ipv4.length, SHORTEST_IPV4, LONGEST_IPV4);
      checkPlace('ipv4.start', ipv4.start, 0, LAST_PLACE - IPV4_CHECKSUM);
    }
    const inTransport = transport === undefined ? 0 : TRANSPORT_CHECKSUM[transport.protocol];
    if (transport !== undefined) checkPlace('transport.start', transport.start, 0, LAST_PLACE - inTransport);
    const context = contextDescriptor({
      ipStart: ipv4?.start ?? 0,
      ipChecksum: ipv4 === undefined ? 0 : ipv4.start + IPV4_CHECKSUM,
      ipLastByte: ipv4 === undefined ? 0 : ipv4.start + ipv4.length - 1,
      transportStart: transport?.start ?? 0,
      transportChecksum: (transport?.start ?? 0) + inTransport,
      tcp: transport?.protocol === 'tcp',
    });
    const command = dataCommand({ ip: ipv4 !== undefined, transport: transport !== undefined });
    return new TxSender(this.tx, { command, context });
  }
}

function checkPlace(name: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new RangeError(`checksums.${name} must be an integer from ${min} to ${max}; got ${value}.`);
}
