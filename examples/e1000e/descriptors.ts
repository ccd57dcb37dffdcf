/**
 * The legacy descriptors (7.1.3 for receiving, 7.2.10.1 for transmitting), which both are 16 bytes: the address of a
 * buffer, then 64 bits that are described here. Further down, those that have the device write checksums.
 *
 *     receive   VLAN 63:48  errors 47:40  status 39:32 | checksum 31:16  length 15:0
 *     transmit  VLAN 63:48  CSS 47:40     status 35:32 | command 31:24   CSO 23:16  length 15:0
 *
 * The rings of the kit put addresses and lengths where they belong; see rx-queue.ts and tx-queue.ts.
 */
import { type RxFormat, type TxFormat } from 'vfio/kit';

/** One frame fits one buffer, so no frame is ever spread over descriptors. */
export const BUFFER_BYTES = 2048;

/** Status (7.1.3.3) and errors (7.1.3.4) of a receive descriptor, written by the device. */
const RxStatus = { DONE: 1n << 32n, END_OF_PACKET: 1n << 33n } as const;
/** CRC, symbol, sequence, carrier-extension and data errors: the frame's own bytes are wrong. */
const RX_ERRORS = 0x97n << 40n;

export const rxFormat: RxFormat = {
  done: RxStatus.DONE,
  good: { mask: RxStatus.END_OF_PACKET | RX_ERRORS, value: RxStatus.END_OF_PACKET },
  last: RxStatus.END_OF_PACKET,
  lengthShift: 0,
};

/** The same with the status and errors of each frame kept as {@link RxNote}. */
export const rxFormatWithNotes: RxFormat = { ...rxFormat, noteShift: 32 };

/** Of the status (bits 7:0) and the errors (bits 15:8) what is about checksums. */
export const RxNote = {
  /** IXSM: the other bits mean nothing. */
  IGNORE_CHECKSUMS: 1 << 2,
  /** TCPCS: the checksum of TCP or UDP was computed. */
  TCP_CHECKED: 1 << 5,
  /** IPCS: that of the IPv4 header was. */
  IP_CHECKED: 1 << 6,
  /** TCPE: that of TCP or UDP is wrong. */
  TRANSPORT_ERROR: 1 << 13,
  /** IPE: that of the IPv4 header is wrong. */
  IP_ERROR: 1 << 14,
} as const;

/** Command of a transmit descriptor (7.2.10.1.4). */
const TxCommand = {
  END_OF_PACKET: 1n << 24n,
  /** The device appends the CRC. */
  INSERT_FCS: 1n << 25n,
  /** The device sets {@link TX_DONE} when it has read the frame. */
  REPORT_STATUS: 1n << 27n,
} as const;
const TX_DONE = 1n << 32n;

export const txFormat: TxFormat = {
  command: TxCommand.END_OF_PACKET | TxCommand.INSERT_FCS,
  report: TxCommand.REPORT_STATUS,
  lengthShifts: [0],
  done: TX_DONE,
};

/**
 * The other kinds of transmit descriptors say so by DEXT, and which one they are by DTYP. A context is no frame: the device keeps it
 * for all data descriptors that follow.
 *
 *     context   TUCSE 63:48  TUCSO 47:40  TUCSS 39:32 | IPCSE 31:16  IPCSO 15:8  IPCSS 7:0
 *               MSS 63:48  HDRLEN 47:40  status 35:32 | TUCMD 31:24  DTYP 23:20  PAYLEN 19:0
 *     data      as legacy, but POPTS 47:40 and          DCMD 31:24   DTYP 23:20  length 19:0
 */
const EXTENDED = 1n << 29n;
const TYPE_DATA = 1n << 20n;
/** TUCMD: the packets are TCP, not UDP; IPv4, not IPv6. */
const ContextCommand = { TCP: 1n << 24n, IPV4: 1n << 25n } as const;
/** POPTS: write the checksum of the IPv4 header, that of TCP or UDP. */
const DataOption = { IP_CHECKSUM: 1n << 40n, TRANSPORT_CHECKSUM: 1n << 41n } as const;

/** The command of data descriptors that ask for checksums. */
export function dataCommand(write: { readonly ip: boolean; readonly transport: boolean }): bigint {
  const ip = write.ip ? DataOption.IP_CHECKSUM : 0n;
  const transport = write.transport ? DataOption.TRANSPORT_CHECKSUM : 0n;
  return txFormat.command | EXTENDED | TYPE_DATA | ip | transport;
}

/** Where checksums start to sum, where they go, and where they end, in bytes from the start of the frame. */
export interface ChecksumPlaces {
  readonly ipStart: number;
  readonly ipChecksum: number;
  readonly ipLastByte: number;
  readonly transportStart: number;
  readonly transportChecksum: number;
  readonly tcp: boolean;
}

/** Both words of a context descriptor, which is reported as done like a frame. TUCSE 0 means the end of the frame. */
export function contextDescriptor(places: ChecksumPlaces): [first: bigint, second: bigint] {
  const { ipStart, ipChecksum, ipLastByte, transportStart, transportChecksum, tcp } = places;
  const ip = BigInt(ipStart) | (BigInt(ipChecksum) << 8n) | (BigInt(ipLastByte) << 16n);
  const transport = (BigInt(transportStart) << 32n) | (BigInt(transportChecksum) << 40n);
  const command = EXTENDED | TxCommand.REPORT_STATUS | ContextCommand.IPV4 | (tcp ? ContextCommand.TCP : 0n);
  return [ip | transport, command];
}

/** The shortest frame that the device pads (TCTL.PSP) to the 60 bytes that Ethernet asks for. */
export const MIN_FRAME = 17;
/** The largest frame without its CRC: 1500 bytes of payload, the header, and a VLAN tag. */
export const MAX_FRAME = 1518;
