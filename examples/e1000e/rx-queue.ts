/** The receive queue: 4.6.5 for its set-up, 7.1.8 for how head and tail move. */
import { type Mapping, type Registers } from 'vfio';
import { type BufferPool, Doorbell, RxRing } from 'vfio/kit';
import { rxFormat, rxFormatWithNotes } from './descriptors.js';
import { MTA_WORDS, Rctl, Reg, Rxcsum } from './registers.js';

/**
 * A ring whose tail is RDT.
 *
 * @param iova where the device sees the pool's arena
 * @param checksums whether it keeps what the device found out about them
 */
export function makeRxRing(
  registers: Mapping,
  pool: BufferPool,
  iova: bigint,
  size: number,
  checksums: boolean,
): RxRing {
  const format = checksums ? rxFormatWithNotes : rxFormat;
  return new RxRing({ pool, size, iova, format, bell: new Doorbell(registers, Reg.RDT) });
}

/** Hands the ring to the device and turns the receiver on, which comes last (4.6.5.1). */
export function startReceiver(
  registers: Registers,
  ring: Pick<RxRing, 'iova' | 'size' | 'firstTail'>,
  options: { promiscuous?: boolean; checksums?: boolean } = {},
): void {
  for (let i = 0; i < MTA_WORDS; i++) registers.write32(Reg.MTA + 4 * i, 0);
  // Legacy descriptors, and no timer that holds an interrupt back.
  registers.write32(Reg.RFCTL, 0);
  registers.write32(Reg.RXCSUM, options.checksums === true ? Rxcsum.IP | Rxcsum.TRANSPORT : 0);
  registers.write32(Reg.RDTR, 0);
  registers.write32(Reg.RADV, 0);

  registers.write32(Reg.RDBAL, Number(ring.iova & 0xffffffffn));
  registers.write32(Reg.RDBAH, Number(ring.iova >> 32n));
  registers.write32(Reg.RDLEN, ring.size * 16);
  registers.write32(Reg.RDH, 0);
  registers.write32(Reg.RDT, ring.firstTail);

  const filter = options.promiscuous === true ? Rctl.PROMISCUOUS_UNICAST | Rctl.PROMISCUOUS_MULTICAST : 0;
  registers.write32(Reg.RCTL, Rctl.ENABLE | Rctl.ACCEPT_BROADCAST | Rctl.STRIP_CRC | filter);
}
