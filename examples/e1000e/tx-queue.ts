/** The transmit queue: 4.6.6 for its set-up, 7.2.4 for how head and tail move. */
import { type Mapping } from 'vfio';
import { type BufferPool, Doorbell, TxRing } from 'vfio/kit';
import { MAX_FRAME, MIN_FRAME, txFormat } from './descriptors.js';
import { type E1000eRegisters } from './registers.js';

/** A ring whose tail is TDT. @param iova where the device sees the pool's arena */
export function makeTxRing(
  mapping: Mapping,
  regs: E1000eRegisters,
  pool: BufferPool,
  iova: bigint,
  size: number,
): TxRing {
  return new TxRing({
    pool,
    size,
    iova,
    format: txFormat,
    bell: new Doorbell(mapping, regs.TDT.offset),
    minFrame: MIN_FRAME,
    maxFrame: MAX_FRAME,
  });
}

/** Hands the empty ring to the device and turns the transmitter on. */
export function startTransmitter(regs: E1000eRegisters, ring: Pick<TxRing, 'iova' | 'size'>): void {
  regs.TDBAL.write(Number(ring.iova & 0xffffffffn));
  regs.TDBAH.write(Number(ring.iova >> 32n));
  regs.TDLEN.write(ring.size * 16);
  regs.TDH.write(0);
  regs.TDT.write(0);
  // Report each descriptor as soon as it is done: the reserved bit and the policy of 4.6.6.
  regs.TXDCTL.set({ RESERVED_ONE: 1, DESCRIPTOR_GRANULARITY: 1, WRITE_BACK_THRESHOLD: 1 });
  // The gaps between frames, and collision threshold and distance, as 4.6.6 gives them; the last two have no effect on a
  // full-duplex link.
  regs.TIPG.set({ IPGT: 8, IPGR1: 2, IPGR2: 10 });
  regs.TCTL.set({ ENABLE: 1, PAD_SHORT_FRAMES: 1, COLLISION_THRESHOLD: 0x0f, COLLISION_DISTANCE: 0x3f });
}
