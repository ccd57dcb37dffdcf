/** The split layout (2.7): a table of descriptors, a ring of what is available, a ring of what was used. */
import { type Arena } from 'vfio/kit';
import { NET_HEADER_BYTES } from './registers.js';
import {
  crosses,
  DescriptorFlag,
  NONSENSE,
  NOTHING,
  type QueueAreas,
  type QueueOptions,
  Slots,
  type Virtqueue,
  words16,
} from './virtqueue.js';

/** Both rings start with flags and an index, each 16 bits (2.7.6, 2.7.8). */
const RING_FLAGS = 0;
const RING_INDEX = 2;
const RING_ENTRIES = 4;

/** The one flag of the available ring: no interrupts, please. Without meaning when VIRTIO_F_EVENT_IDX is agreed on. */
const NO_INTERRUPT = 1;
/** The one flag of the used ring: no notifications, please. */
const NO_NOTIFY = 1;

export class SplitQueue implements Virtqueue {
  readonly size: number;
  readonly slots: number;
  readonly areas: QueueAreas;
  written = 0;
  readonly #arena: Arena;
  readonly #u16: Uint16Array;
  readonly #state: Slots;
  readonly #eventIdx: boolean;
  /** Where the parts are in the arena. */
  readonly #descriptors: number;
  readonly #available: number;
  readonly #used: number;
  /** Indexes count modulo 2^16, as in memory: what was offered, what of that was published, what was taken back. */
  #offered = 0;
  #published = 0;
  #taken = 0;

  constructor(options: QueueOptions) {
    const { pool, iova, slots, deviceWrites } = options;
    const { arena } = pool;
    this.slots = slots;
    this.size = 2 * slots;
    this.#arena = arena;
    this.#u16 = words16(arena);
    this.#eventIdx = options.eventIdx;
    this.#state = new Slots(options);
    this.#descriptors = arena.alloc(16 * this.size, 4096);
    // Each has the index of an event behind its entries.
    this.#available = arena.alloc(RING_ENTRIES + 2 * this.size + 2);
    this.#used = arena.alloc(RING_ENTRIES + 8 * this.size + 2);
    const address = (offset: number): bigint => iova + BigInt(offset);
    this.areas = {
      descriptors: address(this.#descriptors),
      driver: address(this.#available),
      device: address(this.#used),
    };
    // Of a chain only the frame's address and length ever change.
    const write = deviceWrites ? DescriptorFlag.WRITE : 0;
    for (let slot = 0; slot < slots; slot++) {
      const at = (this.#descriptors + 32 * slot) >> 2;
      const header = this.#state.header(slot);
      const next = 2 * slot + 1;
      arena.u32.set(
        [
          ...[Number(header & 0xffff_ffffn), Number(header >> 32n)],
          ...[NET_HEADER_BYTES, DescriptorFlag.NEXT | write | (next << 16)],
          ...[0, 0, 0, write],
        ],
        at,
      );
    }
    this.disarm();
  }

  offer(slot: number, handle: number, length: number): void {
    const { u32 } = this.#arena;
    const at = (this.#descriptors + 32 * slot + 16) >> 2;
    this.#state.writeAddress(u32, at, handle);
    u32[at + 2] = length;
    this.#state.handles[slot] = handle;
    const entry = this.#offered & (this.size - 1);
    this.#u16[(this.#available + RING_ENTRIES + 2 * entry) >> 1] = 2 * slot;
    this.#offered = (this.#offered + 1) & 0xffff;
  }

  publish(): boolean {
    const [now, before] = [this.#offered, this.#published];
    if (now === before) return false;
    this.#published = now;
    // An atomic store is a barrier both ways: the entries come before it, the look at what the device wants after (2.7.13).
    Atomics.store(this.#u16, (this.#available + RING_INDEX) >> 1, now);
    return this.#eventIdx
      ? crosses(Atomics.load(this.#u16, this.#availableEvent), now, before)
      : (Atomics.load(this.#u16, (this.#used + RING_FLAGS) >> 1) & NO_NOTIFY) === 0;
  }

  take(): number {
    if (!this.pending) return NOTHING;
    const { u32 } = this.#arena;
    const at = (this.#used + RING_ENTRIES + 8 * (this.#taken & (this.size - 1))) >> 2;
    const id = u32[at] as number;
    this.written = u32[at + 1] as number;
    this.#taken = (this.#taken + 1) & 0xffff;
    const slot = id >>> 1;
    if (id % 2 !== 0 || slot >= this.slots || this.#state.handles[slot] === 0) return NONSENSE;
    return slot;
  }

  release(slot: number): number {
    return this.#state.release(slot);
  }

  drain(give: (handle: number) => void): void {
    this.#state.drain(give);
  }

  get pending(): boolean {
    return Atomics.load(this.#u16, (this.#used + RING_INDEX) >> 1) !== this.#taken;
  }

  arm(): void {
    // The next one that is used makes the used index go past this one.
    if (this.#eventIdx) Atomics.store(this.#u16, this.#usedEvent, this.#taken);
    else Atomics.store(this.#u16, (this.#available + RING_FLAGS) >> 1, 0);
  }

  disarm(): void {
    // As far from the next one as an index can be.
    if (this.#eventIdx) Atomics.store(this.#u16, this.#usedEvent, (this.#taken - 1) & 0xffff);
    else Atomics.store(this.#u16, (this.#available + RING_FLAGS) >> 1, NO_INTERRUPT);
  }

  /** Where the driver says when it wants an interrupt (2.7.7). */
  get #usedEvent(): number {
    return (this.#available + RING_ENTRIES + 2 * this.size) >> 1;
  }

  /** Where the device says when it wants a notification (2.7.10). */
  get #availableEvent(): number {
    return (this.#used + RING_ENTRIES + 8 * this.size) >> 1;
  }
}
