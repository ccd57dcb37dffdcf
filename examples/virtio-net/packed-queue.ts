/**
 * The packed layout (2.8): one ring of descriptors, in which the driver writes what is available and the device, over it,
 * what it used. Who wrote a descriptor, and in which round, is told by two of its flags.
 */
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
} from './virtqueue.js';

/**
 * Of an available descriptor the first is as the round of the driver (one in odd rounds, zero in even ones) and the second
 * the contrary; of a used one both are as the round of the device (2.8.1).
 */
const AVAILABLE = 1 << 7;
const USED = 1 << 15;

/** An event structure (2.8.14): a descriptor's index, the round it is meant in, and what is wanted. */
const EVENT_INDEX = 0x7fff;
const EVENT_ROUND_SHIFT = 15;
const EVENT_WANTED_SHIFT = 16;
/** All events, none, or the one of that descriptor (2.8.10). */
const Wanted = { ALL: 0, NONE: 1, ONE: 2 } as const;

/** The four words of a descriptor (2.8.13). The last one holds the id and, above it, the flags. */
const LENGTH = 2;
const ID_AND_FLAGS = 3;

export class PackedQueue implements Virtqueue {
  readonly size: number;
  readonly slots: number;
  readonly areas: QueueAreas;
  written = 0;
  readonly #arena: Arena;
  readonly #state: Slots;
  readonly #eventIdx: boolean;
  readonly #write: number;
  /** Where the parts are in the arena, in words of 32 bits. */
  readonly #ring: number;
  readonly #driverEvent: number;
  readonly #deviceEvent: number;
  /** Of each slot, its header's address. */
  readonly #headers: Uint32Array;
  /** The next descriptor to be made available, and the next that will be used; and in which kind of round. */
  #next = 0;
  #nextRound = 1;
  #usedNext = 0;
  #usedRound = 1;
  /** Descriptors since the last {@link publish}. */
  #added = 0;

  constructor(options: QueueOptions) {
    const { pool, iova, slots } = options;
    const { arena } = pool;
    this.slots = slots;
    this.size = 2 * slots;
    this.#arena = arena;
    this.#eventIdx = options.eventIdx;
    this.#write = options.deviceWrites ? DescriptorFlag.WRITE : 0;
    this.#state = new Slots(options);
    const [ring, driver, device] = [arena.alloc(16 * this.size, 4096), arena.alloc(4), arena.alloc(4)];
    this.areas = {
      descriptors: iova + BigInt(ring),
      driver: iova + BigInt(driver),
      device: iova + BigInt(device),
    };
    [this.#ring, this.#driverEvent, this.#deviceEvent] = [ring >> 2, driver >> 2, device >> 2];
    this.#headers = new Uint32Array(2 * slots);
    for (let slot = 0; slot < slots; slot++) {
      const header = this.#state.header(slot);
      this.#headers.set([Number(header & 0xffff_ffffn), Number(header >> 32n)], 2 * slot);
    }
    this.disarm();
  }

  offer(slot: number, handle: number, length: number): void {
    const { u32 } = this.#arena;
    const flags = this.#write | (this.#nextRound === 1 ? AVAILABLE : USED);
    const header = this.#ring + 4 * this.#next;
    const frame = header + 4;
    this.#state.writeAddress(u32, frame, handle);
    u32[frame + LENGTH] = length;
    u32[frame + ID_AND_FLAGS] = slot | (flags << 16);
    u32[header] = this.#headers[2 * slot] as number;
    u32[header + 1] = this.#headers[2 * slot + 1] as number;
    u32[header + LENGTH] = NET_HEADER_BYTES;
    // The chain is the device's from here on: its first descriptor's flags come last (2.8.6).
    Atomics.store(u32, header + ID_AND_FLAGS, (slot | ((flags | DescriptorFlag.NEXT) << 16)) >>> 0);
    this.#state.handles[slot] = handle;
    this.#added += 2;
    this.#next += 2;
    if (this.#next === this.size) {
      this.#next = 0;
      this.#nextRound ^= 1;
    }
  }

  publish(): boolean {
    const added = this.#added;
    if (added === 0) return false;
    this.#added = 0;
    const event = Atomics.load(this.#arena.u32, this.#deviceEvent);
    const wanted = (event >>> EVENT_WANTED_SHIFT) & 3;
    if (wanted !== Wanted.ONE) return wanted !== Wanted.NONE;
    const sameRound = ((event >>> EVENT_ROUND_SHIFT) & 1) === this.#nextRound;
    const index = (event & EVENT_INDEX) - (sameRound ? 0 : this.size);
    return crosses(index, this.#next, this.#next - added);
  }

  take(): number {
    const { u32 } = this.#arena;
    const at = this.#ring + 4 * this.#usedNext;
    const last = Atomics.load(u32, at + ID_AND_FLAGS);
    if (!this.#isUsed(last)) return NOTHING;
    this.written = u32[at + LENGTH] as number;
    // The device used a chain of two and wrote the first.
    this.#usedNext += 2;
    if (this.#usedNext === this.size) {
      this.#usedNext = 0;
      this.#usedRound ^= 1;
    }
    const slot = last & 0xffff;
    return slot >= this.slots || this.#state.handles[slot] === 0 ? NONSENSE : slot;
  }

  release(slot: number): number {
    return this.#state.release(slot);
  }

  drain(give: (handle: number) => void): void {
    this.#state.drain(give);
  }

  get pending(): boolean {
    return this.#isUsed(Atomics.load(this.#arena.u32, this.#ring + 4 * this.#usedNext + ID_AND_FLAGS));
  }

  arm(): void {
    const here = this.#usedNext | (this.#usedRound << EVENT_ROUND_SHIFT);
    this.#wish(this.#eventIdx ? here | (Wanted.ONE << EVENT_WANTED_SHIFT) : Wanted.ALL);
  }

  disarm(): void {
    this.#wish(Wanted.NONE << EVENT_WANTED_SHIFT);
  }

  #wish(event: number): void {
    Atomics.store(this.#arena.u32, this.#driverEvent, event);
  }

  #isUsed(last: number): boolean {
    const round = this.#usedRound === 1;
    return (((last >>> 16) & AVAILABLE) !== 0) === round && (((last >>> 16) & USED) !== 0) === round;
  }
}
