/** The receive ring: 4.6.5 for its set-up, 7.1.8 for how head and tail move. */
import { type Dma, type DmaBuffer, type Registers } from 'vfio';
import {
  attachBuffers,
  BUFFER_BYTES,
  DESCRIPTOR_BYTES,
  DESCRIPTOR_WORDS,
  LENGTH_MASK,
  RxStatus,
  Word,
} from './descriptors.js';
import { MTA_WORDS, Rctl, Reg } from './registers.js';
import { checkRingSize, next } from './ring-index.js';

/**
 * Called for each received frame. The frame is `buffer[0]` to `buffer[length - 1]`, without its CRC; both belong to
 * the device again when the call returns, so whoever wants to keep a frame copies it.
 */
export type FrameHandler = (buffer: Uint8Array, length: number) => void;

export class RxRing {
  /** Frames handed to a {@link FrameHandler}. */
  frames = 0;
  /** Their bytes. */
  bytes = 0;
  /** Frames the device flagged as damaged, or that did not fit one buffer. */
  errors = 0;

  private readonly ring: DmaBuffer;
  private readonly buffers: DmaBuffer;
  private readonly words: Uint32Array;
  private readonly views: Uint8Array[];
  /** The descriptor that the device fills next, and we look at next. */
  private index = 0;
  /** Inside a frame that is spread over descriptors: all of it up to its end is dropped. */
  private spread = false;

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

  /** Hands the ring to the device and turns the receiver on, which comes last (4.6.5.1). */
  start(options: { promiscuous?: boolean } = {}): void {
    const { registers } = this;
    for (let i = 0; i < MTA_WORDS; i++) registers.write32(Reg.MTA + 4 * i, 0);
    // Legacy descriptors, no checksum offload, and no timer that holds an interrupt back.
    registers.write32(Reg.RFCTL, 0);
    registers.write32(Reg.RXCSUM, 0);
    registers.write32(Reg.RDTR, 0);
    registers.write32(Reg.RADV, 0);

    registers.write32(Reg.RDBAL, this.ring.iovaLo);
    registers.write32(Reg.RDBAH, this.ring.iovaHi);
    registers.write32(Reg.RDLEN, this.size * DESCRIPTOR_BYTES);
    registers.write32(Reg.RDH, 0);
    registers.write32(Reg.RDT, this.size - 1);

    const filter = options.promiscuous === true ? Rctl.PROMISCUOUS_UNICAST | Rctl.PROMISCUOUS_MULTICAST : 0;
    registers.write32(Reg.RCTL, Rctl.ENABLE | Rctl.ACCEPT_BROADCAST | Rctl.STRIP_CRC | filter);
  }

  /** Whether a received frame waits. */
  get pending(): boolean {
    return (Atomics.load(this.words, this.index * DESCRIPTOR_WORDS + Word.STATUS) & RxStatus.DONE) !== 0;
  }

  /**
   * Hands up to `max` received frames to `handle` and returns how many descriptors that took. Never waits.
   *
   * The descriptors go back to the device together, with one write of the tail, also when `handle` throws.
   */
  receive(max: number, handle: FrameHandler): number {
    const { words, views, size } = this;
    const first = this.index;
    let index = first;
    let last = first;
    let taken = 0;
    try {
      while (taken < max) {
        const at = index * DESCRIPTOR_WORDS;
        // An atomic load keeps the processor from reading the frame before the word that says it is there.
        const status = Atomics.load(words, at + Word.STATUS);
        if ((status & RxStatus.DONE) === 0) break;
        const length = (words[at + Word.LENGTH] ?? 0) & LENGTH_MASK;
        const buffer = views[index];
        words[at + Word.STATUS] = 0;
        last = index;
        index = next(index, size);
        taken++;
        if (buffer !== undefined && this.isWholeFrame(status)) {
          this.frames++;
          this.bytes += length;
          handle(buffer, length);
        }
      }
    } finally {
      if (taken > 0) {
        this.index = index;
        // The tail names the last descriptor given back, so that one always stays out of the device's reach.
        this.registers.write32(Reg.RDT, last);
      }
    }
    return taken;
  }

  /** Long frames are switched off in RCTL, so a frame is spread over descriptors only when something is wrong. */
  private isWholeFrame(status: number): boolean {
    const ends = (status & RxStatus.END_OF_PACKET) !== 0;
    const whole = ends && !this.spread && (status & RxStatus.ANY_ERROR) === 0;
    if (ends && !whole) this.errors++;
    this.spread = !ends;
    return whole;
  }
}
