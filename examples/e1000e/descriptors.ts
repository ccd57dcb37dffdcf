/**
 * The legacy descriptors (7.1.3 for receiving, 7.2.10.1 for transmitting): 16 bytes, here four 32-bit words.
 *
 *              word 0           word 1            word 2                     word 3
 *     receive  address, low     address, high     checksum 31:16             VLAN 31:16, errors 15:8,
 *                                                 length   15:0              status 7:0
 *     transmit address, low     address, high     command 31:24, CSO 23:16   VLAN 31:16, CSS 15:8,
 *                                                 length  15:0               status 3:0
 *
 * The legacy formats suit a driver whose buffers never change: the device leaves the address alone, so giving a
 * descriptor back costs one store.
 */
import { type DmaBuffer } from 'vfio';

export const DESCRIPTOR_BYTES = 16;
export const DESCRIPTOR_WORDS = 4;

/** Words within a descriptor. */
export const Word = { ADDRESS_LOW: 0, ADDRESS_HIGH: 1, LENGTH: 2, STATUS: 3 } as const;

export const LENGTH_MASK = 0xffff;

/** Word 3 of a receive descriptor (7.1.3.3 and 7.1.3.4), written by the device. */
export const RxStatus = {
  DONE: 1 << 0,
  END_OF_PACKET: 1 << 1,
  /** CRC, symbol, sequence, carrier-extension and data errors: the frame's own bytes are wrong. */
  ANY_ERROR: 0x97 << 8,
} as const;

/** Word 2 of a transmit descriptor (7.2.10.1.4), above the length. */
export const TxCommand = {
  END_OF_PACKET: 1 << 24,
  /** The device appends the CRC. */
  INSERT_FCS: 1 << 25,
  /** The device sets {@link TX_DONE} when it has read the frame. */
  REPORT_STATUS: 1 << 27,
} as const;

/** Word 3 of a transmit descriptor. */
export const TX_DONE = 1 << 0;

/** One frame fits one buffer, so no frame is ever spread over descriptors. */
export const BUFFER_BYTES = 2048;

/**
 * Gives each descriptor a buffer of its own, for good, and returns the buffers as views.
 *
 * This is the only place where addresses are computed, and the only one that makes views: on the path of a packet
 * there are only array elements and small integers.
 */
export function attachBuffers(words: Uint32Array, buffers: DmaBuffer): Uint8Array[] {
  const views: Uint8Array[] = [];
  for (let index = 0; index < words.length / DESCRIPTOR_WORDS; index++) {
    const at = index * DESCRIPTOR_WORDS;
    const address = buffers.iovaAt(index * BUFFER_BYTES);
    words[at + Word.ADDRESS_LOW] = Number(address & 0xffffffffn);
    words[at + Word.ADDRESS_HIGH] = Number(address >> 32n);
    words[at + Word.LENGTH] = 0;
    words[at + Word.STATUS] = 0;
    views.push(buffers.u8.subarray(index * BUFFER_BYTES, (index + 1) * BUFFER_BYTES));
  }
  return views;
}
