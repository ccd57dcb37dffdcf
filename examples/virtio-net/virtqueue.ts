/**
 * What both layouts of virtqueues have in common. Here a queue has slots, each of which can be given to the device with one
 * frame: a chain of two descriptors, the first for the header that virtio puts in front of a frame, the second for the frame
 * itself. That the frame has a descriptor of its own lets it start where its buffer does, as applications expect; any split
 * into descriptors is allowed (2.7.4).
 */
import { type Arena, type BufferPool } from 'vfio/kit';

/** Where the device finds the three parts of a queue (2.6). */
export interface QueueAreas {
  readonly descriptors: bigint;
  /** Written by the driver. */
  readonly driver: bigint;
  /** Written by the device. */
  readonly device: bigint;
}

/** What a queue is made of. */
export interface QueueOptions {
  readonly pool: BufferPool;
  /** Where the device sees the pool's arena. */
  readonly iova: bigint;
  /** How many frames it has room for: a power of two. */
  readonly slots: number;
  /** Who writes into the buffers: the device when receiving. */
  readonly deviceWrites: boolean;
  /** Whether VIRTIO_F_EVENT_IDX was agreed on. */
  readonly eventIdx: boolean;
}

/** Instead of a slot: nothing was used. */
export const NOTHING = -1;
/** Instead of a slot: the device says that it used what it does not have. */
export const NONSENSE = -2;

/** The flags of descriptors that both layouts have (2.7.5, 2.8.3, 2.8.6). */
export const DescriptorFlag = { NEXT: 1 << 0, WRITE: 1 << 1 } as const;

export interface Virtqueue {
  /** Descriptors: two for each slot. */
  readonly size: number;
  readonly slots: number;
  readonly areas: QueueAreas;
  /** Of the slot that {@link take} returned last, how many bytes the device wrote, the header's included. */
  readonly written: number;
  /** Fills a slot that is ours for the device: with a buffer of the pool, of which the frame is, or may take, `length` bytes. */
  offer(slot: number, handle: number, length: number): void;
  /** Lets the device see all that was offered. Returns whether it wants to be notified. */
  publish(): boolean;
  /** Takes a slot back that the device is done with; {@link NOTHING} or {@link NONSENSE} when there is none. */
  take(): number;
  /** The buffer in a slot that was {@link take taken}, which is ours from now on. */
  release(slot: number): number;
  /** Takes back what the device still has, which must have been reset; calls `give` with each buffer. */
  drain(give: (handle: number) => void): void;
  /** Whether there is something to {@link take}. */
  readonly pending: boolean;
  /** Asks for an interrupt when the next slot is used. */
  arm(): void;
  /** Asks for none. Only a hint (2.7.7.1): there may be some. */
  disarm(): void;
}

/** What a queue of either layout keeps of its slots, and where their headers and buffers are for the device. */
export class Slots {
  /** For each slot the buffer in it; 0 while it is ours. */
  readonly handles: Uint32Array;
  readonly #buffers: AddressTable;
  readonly #start: number;
  readonly #stride: number;
  /** Where the device finds the headers of slot 0 and on: zeroes when sending, which ask for nothing (5.1.6.2). */
  readonly #headers: bigint;

  constructor({ pool, iova, slots }: QueueOptions) {
    this.handles = new Uint32Array(slots);
    this.#buffers = pool.addressTable(iova);
    this.#start = pool.start;
    this.#stride = pool.stride;
    this.#headers = iova + BigInt(pool.arena.alloc(slots * HEADER_STRIDE));
  }

  /** The header of a slot, for the device. */
  header(slot: number): bigint {
    return this.#headers + BigInt(HEADER_STRIDE * slot);
  }

  /** Empties one. */
  release(slot: number): number {
    const handle = this.handles[slot] as number;
    this.handles[slot] = 0;
    return handle;
  }

  /** Empties all of them. */
  drain(give: (handle: number) => void): void {
    for (const [slot, handle] of this.handles.entries()) {
      this.handles[slot] = 0;
      if (handle !== 0) give(handle);
    }
  }

  /** Writes the address of a buffer as the two words `at` and `at + 1`. */
  writeAddress(u32: Uint32Array, at: number, handle: number): void {
    const buffer = Math.trunc((handle - this.#start) / this.#stride);
    u32[at] = this.#buffers.lo[buffer] as number;
    u32[at + 1] = this.#buffers.hi[buffer] as number;
  }
}

type AddressTable = ReturnType<BufferPool['addressTable']>;

/** A header and what lets each start at a multiple of its own alignment. */
const HEADER_STRIDE = 16;

/** The 16-bit fields of an arena's memory: what indexes and flags are. */
export function words16(arena: Arena): Uint16Array {
  return new Uint16Array(arena.u8.buffer, arena.u8.byteOffset, arena.u8.length >> 1);
}

/** Whether an event that was asked for at `event` lies between two indexes, which count modulo 2^16 (2.7.10). */
export function crosses(event: number, now: number, before: number): boolean {
  return ((now - event - 1) & 0xffff) < ((now - before) & 0xffff);
}
