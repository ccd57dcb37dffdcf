import type { Burst } from './burst';

/**
 * What a NIC says of the checksums in a received frame: bits, none of which is set where it did not look, as in frames that
 * are not IP, in fragments, or in datagrams without a checksum. A frame with a wrong one is received like any other.
 */
export const RxChecksum = {
  /** That of the IPv4 header was checked, and is right. */
  IP_GOOD: 1,
  /** That of the IPv4 header is wrong. */
  IP_WRONG: 2,
  /** That of TCP or UDP was checked, and is right. */
  TRANSPORT_GOOD: 4,
  /** That of TCP or UDP is wrong. */
  TRANSPORT_WRONG: 8,
} as const;

/**
 * Where the checksums of a kind of frames are that the NIC shall write. One of the two at least; all places count in bytes
 * from the frame's first one, and are at most 255.
 */
export interface TxChecksums {
  /** Where the IPv4 header starts, and its length: 20 without options. Its checksum may hold anything. */
  readonly ipv4?: { readonly start: number; readonly length: number };
  /**
   * Where the TCP or UDP header starts. Its checksum holds the sum of the pseudo header (addresses, protocol, and length, as
   * RFC 768 has it), folded to 16 bits and not complemented; the NIC adds all from `start` to the end of the frame, which
   * must be that of the datagram, too.
   */
  readonly transport?: { readonly protocol: 'tcp' | 'udp'; readonly start: number };
}

/** A way to send frames. */
export interface FrameSender {
  /** Sends frames as `Nic.txBurst` does. */
  burst(burst: Burst, count: number, from?: number): number;
}

/** What a NIC does about checksums, for applications that leave them to it. */
export interface ChecksumOffload {
  /**
   * What it found in frame `i` of the last burst that was received: bits of {@link RxChecksum}. A call for each frame, and
   * nothing is allocated. Of frames that the last burst did not have the answer means nothing.
   */
  received(i: number): number;
  /**
   * A way to send frames in which the NIC writes checksums: one for each kind of frames, made once, since making it compiles
   * its loop. Several may be used in turns, and in turns with `Nic.txBurst`; each change from one to another costs a descriptor
   * and a buffer, until that was sent.
   *
   * @throws RangeError for a place that no header can have; TypeError when there is nothing to write
   */
  sender(checksums: TxChecksums): FrameSender;
}
