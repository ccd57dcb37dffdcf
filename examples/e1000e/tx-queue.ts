/** The transmit queue: 4.6.6 for its set-up, 7.2.4 for how head and tail move. */
import { type Mapping, type Registers } from 'vfio';
import { type BufferPool, Doorbell, TxRing } from 'vfio/kit';
import { MAX_FRAME, MIN_FRAME, txFormat } from './descriptors.js';
import { Reg, Tctl, Txdctl } from './registers.js';

/** A ring whose tail is TDT. @param iova where the device sees the pool's arena */
export function makeTxRing(registers: Mapping, pool: BufferPool, iova: bigint, size: number): TxRing {
  return new TxRing({
    pool,
    size,
    iova,
    format: txFormat,
    bell: new Doorbell(registers, Reg.TDT),
    minFrame: MIN_FRAME,
    maxFrame: MAX_FRAME,
  });
}

/** Hands the empty ring to the device and turns the transmitter on. */
export function startTransmitter(registers: Registers, ring: Pick<TxRing, 'iova' | 'size'>): void {
  registers.write32(Reg.TDBAL, Number(ring.iova & 0xffffffffn));
  registers.write32(Reg.TDBAH, Number(ring.iova >> 32n));
  registers.write32(Reg.TDLEN, ring.size * 16);
  registers.write32(Reg.TDH, 0);
  registers.write32(Reg.TDT, 0);
  // Report each descriptor as soon as it is done: the reserved bit and the policy of 4.6.6.
  registers.write32(
    Reg.TXDCTL,
    Txdctl.RESERVED_ONE | Txdctl.DESCRIPTOR_GRANULARITY | (1 << Txdctl.WRITE_BACK_THRESHOLD_SHIFT),
  );
  // The gaps between frames that 4.6.6 gives: IPGT 8, IPGR1 2, IPGR2 10.
  registers.write32(Reg.TIPG, 8 | (2 << 10) | (10 << 20));
  // Collision threshold and distance as 4.6.6 gives them; on a full-duplex link they have no effect.
  const collisions = (0x0f << Tctl.COLLISION_THRESHOLD_SHIFT) | (0x3f << Tctl.COLLISION_DISTANCE_SHIFT);
  registers.write32(Reg.TCTL, Tctl.ENABLE | Tctl.PAD_SHORT_FRAMES | collisions);
}
