/** The receive queue: 4.6.5 for its set-up, 7.1.8 for how head and tail move. */
import { type Mapping } from 'vfio';
import { type BufferPool, Doorbell, RxRing } from 'vfio/kit';
import { rxFormat, rxFormatWithNotes } from './descriptors.js';
import { type E1000eRegisters } from './registers.js';

/**
 * A ring whose tail is RDT.
 *
 * @param iova where the device sees the pool's arena
 * @param checksums whether it keeps what the device found out about them
 */
export function makeRxRing(
  mapping: Mapping,
  regs: E1000eRegisters,
  pool: BufferPool,
  iova: bigint,
  size: number,
  checksums: boolean,
): RxRing {
  const format = checksums ? rxFormatWithNotes : rxFormat;
  return new RxRing({ pool, size, iova, format, bell: new Doorbell(mapping, regs.RDT.offset) });
}

/** Hands the ring to the device and turns the receiver on, which comes last (4.6.5.1). */
export function startReceiver(
  regs: E1000eRegisters,
  ring: Pick<RxRing, 'iova' | 'size' | 'firstTail'>,
  options: { promiscuous?: boolean; checksums?: boolean } = {},
): void {
  for (const word of regs.MTA) word.write(0);
  // Legacy descriptors, and no timer that holds an interrupt back.
  regs.RFCTL.write(0);
  const verify = options.checksums === true ? 1 : 0;
  regs.RXCSUM.set({ IP: verify, TRANSPORT: verify });
  regs.RDTR.write(0);
  regs.RADV.write(0);

  regs.RDBAL.write(Number(ring.iova & 0xffffffffn));
  regs.RDBAH.write(Number(ring.iova >> 32n));
  regs.RDLEN.write(ring.size * 16);
  regs.RDH.write(0);
  regs.RDT.write(ring.firstTail);

  const promiscuous = options.promiscuous === true ? 1 : 0;
  regs.RCTL.set({
    ...{ ENABLE: 1, ACCEPT_BROADCAST: 1, STRIP_CRC: 1 },
    ...{ PROMISCUOUS_UNICAST: promiscuous, PROMISCUOUS_MULTICAST: promiscuous },
  });
}
