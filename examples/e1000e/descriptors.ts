/**
 * The legacy descriptors (7.1.3 for receiving, 7.2.10.1 for transmitting), which both are 16 bytes: the address of a
 * buffer, then 64 bits that are described here.
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

/** The shortest frame that the device pads (TCTL.PSP) to the 60 bytes that Ethernet asks for. */
export const MIN_FRAME = 17;
/** The largest frame without its CRC: 1500 bytes of payload, the header, and a VLAN tag. */
export const MAX_FRAME = 1518;
