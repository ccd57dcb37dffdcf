/** The transmit ring: 4.6.6 for its set-up, 7.2.4 for how head and tail move. */
import { type Dma, type DmaBuffer, type Registers } from 'vfio';
import {
  attachBuffers,
  BUFFER_BYTES,
  DESCRIPTOR_BYTES,
  DESCRIPTOR_WORDS,
  TX_DONE,
  TxCommand,
  Word,
} from './descriptors.js';
import { Reg, Tctl, Txdctl } from './registers.js';
import { checkRingSize, distance, next } from './ring-index.js';

/** The shortest frame that the device pads (TCTL.PSP) to the 60 bytes that Ethernet asks for. */
export const MIN_FRAME = 17;
/** The largest frame without its CRC: 1500 bytes of payload, the header, and a VLAN tag. */
export const MAX_FRAME = 1518;

const ONE_FRAME = TxCommand.END_OF_PACKET | TxCommand.INSERT_FCS | TxCommand.REPORT_STATUS;

export class TxRing {
  /** Frames handed to the device. */
  frames = 0;
  /** Their bytes, before padding. */
  bytes = 0;
  /** How often {@link reserve} found the ring full. */
  full = 0;

  private readonly ring: DmaBuffer;
  private readonly buffers: DmaBuffer;
  private readonly words: Uint32Array;
  private readonly views: Uint8Array[];
  /** The descriptor we fill next. */
  private fill = 0;
  /** The oldest descriptor that the device has not reported as done. */
  private clean = 0;
  /** The tail as the device knows it. */
  private tail = 0;

  constructor(
    private readonly registers: Registers,
    dma: Dma,
    readonly size: number,
  ) {
    checkRingSize(size);
    this.ring = dma.alloc(size * DESCRIPTOR_BYTES);
    this.buffers = dma.alloc(size * BUFFER_BYTES);
    this.words = this.ring.u32.subarray(0, size * DESCRIPTOR_WORDS);
    this.views = attachBuffers(this.words, this.buffers);
  }

  /** Hands the empty ring to the device and turns the transmitter on. */
  start(): void {
    const { registers } = this;
    registers.write32(Reg.TDBAL, this.ring.iovaLo);
    registers.write32(Reg.TDBAH, this.ring.iovaHi);
    registers.write32(Reg.TDLEN, this.size * DESCRIPTOR_BYTES);
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

  /** How many descriptors are with the device or wait for {@link flush}. */
  get inFlight(): number {
    return distance(this.clean, this.fill, this.size);
  }

  /**
   * The buffer of the next frame to send, 2048 bytes to write a frame into, or `undefined` while the ring is full.
   * Calling it again without {@link commit} returns the same buffer.
   */
  reserve(): Uint8Array | undefined {
    const after = next(this.fill, this.size);
    if (after === this.clean) {
      this.reclaim();
      if (after === this.clean) {
        this.full++;
        return undefined;
      }
    }
    return this.views[this.fill];
  }

  /** Queues the frame of `length` bytes that was written into the buffer from {@link reserve}. */
  commit(length: number): void {
    if (!Number.isInteger(length) || length < MIN_FRAME || length > MAX_FRAME) {
      throw new RangeError(`A frame has ${MIN_FRAME} to ${MAX_FRAME} bytes without its CRC, not ${length}.`);
    }
    const at = this.fill * DESCRIPTOR_WORDS;
    this.words[at + Word.LENGTH] = ONE_FRAME | length;
    this.words[at + Word.STATUS] = 0;
    this.fill = next(this.fill, this.size);
    this.frames++;
    this.bytes += length;
  }

  /** Tells the device about everything queued: one register write for any number of frames. */
  flush(): void {
    if (this.tail === this.fill) return;
    this.tail = this.fill;
    this.registers.write32(Reg.TDT, this.tail);
  }

  /** Copies a frame into the ring and sends it; false when the ring is full. */
  transmit(frame: Uint8Array): boolean {
    const buffer = this.reserve();
    if (buffer === undefined) return false;
    if (frame.length <= MAX_FRAME) buffer.set(frame);
    this.commit(frame.length);
    this.flush();
    return true;
  }

  /** Takes back the descriptors that the device is done with and returns how many. */
  reclaim(): number {
    const before = this.clean;
    while (this.clean !== this.tail) {
      const status = Atomics.load(this.words, this.clean * DESCRIPTOR_WORDS + Word.STATUS);
      if ((status & TX_DONE) === 0) break;
      this.clean = next(this.clean, this.size);
    }
    return distance(before, this.clean, this.size);
  }
}
