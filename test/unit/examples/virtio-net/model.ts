/**
 * The device's side of virtqueues, in both layouts, from the specification alone: it knows what is in memory and nothing of the
 * driver's objects, so that what the driver writes is what is tested.
 */
import assert from 'node:assert/strict';
import { Arena, BufferPool, Burst } from 'vfio/kit';
import { PackedQueue } from '../../../../examples/virtio-net/packed-queue.js';
import { RxQueue } from '../../../../examples/virtio-net/rx-queue.js';
import { SplitQueue } from '../../../../examples/virtio-net/split-queue.js';
import { TxQueue } from '../../../../examples/virtio-net/tx-queue.js';
import type { QueueAreas, QueueOptions, Virtqueue } from '../../../../examples/virtio-net/virtqueue.js';

export const IOVA = 0x7_fff0_0000n;
export const HEADER = 12;
const NEXT = 1;
const WRITE = 2;

interface Element {
  offset: number;
  length: number;
  writable: boolean;
}

/** A chain that the driver made available. */
export interface Chain {
  id: number;
  elements: Element[];
}

abstract class Side {
  readonly view: DataView;
  protected readonly at: Record<keyof QueueAreas, number>;

  constructor(
    arena: Arena,
    areas: QueueAreas,
    readonly size: number,
    readonly eventIdx: boolean,
  ) {
    this.view = new DataView(arena.u8.buffer, arena.u8.byteOffset, arena.u8.byteLength);
    const offset = (address: bigint): number => Number(address - IOVA);
    this.at = {
      descriptors: offset(areas.descriptors),
      driver: offset(areas.driver),
      device: offset(areas.device),
    };
  }

  /** The next available chain. */
  abstract next(): Chain | undefined;
  /** Uses a chain, also one that does not exist. Returns whether the driver wants an interrupt. */
  abstract use(id: number, written: number): boolean;
  /** Says when a notification is wanted: always, or never (as far as the layout can say that). */
  abstract want(notifications: boolean): void;

  protected element(at: number, flags: number): Element {
    return {
      offset: Number(this.view.getBigUint64(at, true) - IOVA),
      length: this.view.getUint32(at + 8, true),
      writable: (flags & WRITE) !== 0,
    };
  }
}

export class SplitSide extends Side {
  #next = 0;
  #used = 0;

  next(): Chain | undefined {
    const { view, at, size } = this;
    if (view.getUint16(at.driver + 2, true) === this.#next) return undefined;
    const id = view.getUint16(at.driver + 4 + 2 * (this.#next % size), true);
    this.#next = (this.#next + 1) & 0xffff;
    const elements: Element[] = [];
    for (let index = id, more = true; more;) {
      const descriptor = at.descriptors + 16 * index;
      const flags = view.getUint16(descriptor + 12, true);
      elements.push(this.element(descriptor, flags));
      more = (flags & NEXT) !== 0;
      index = view.getUint16(descriptor + 14, true);
      assert(elements.length <= size);
    }
    if (this.eventIdx) this.want(true);
    return { id, elements };
  }

  use(id: number, written: number): boolean {
    const { view, at, size } = this;
    const entry = at.device + 4 + 8 * (this.#used % size);
    view.setUint32(entry, id, true);
    view.setUint32(entry + 4, written, true);
    const before = this.#used;
    this.#used = (this.#used + 1) & 0xffff;
    view.setUint16(at.device + 2, this.#used, true);
    if (this.eventIdx) return view.getUint16(at.driver + 4 + 2 * size, true) === before;
    return (view.getUint16(at.driver, true) & 1) === 0;
  }

  want(notifications: boolean): void {
    const { view, at, size } = this;
    if (!this.eventIdx) view.setUint16(at.device, notifications ? 0 : 1, true);
    else {
      const event = notifications ? this.#next : this.#next + 0x8000;
      view.setUint16(at.device + 4 + 8 * size, event & 0xffff, true);
    }
  }
}

export class PackedSide extends Side {
  #next = 0;
  #round = 1;
  #used = 0;
  #usedRound = 1;
  readonly #lengths = new Map<number, number>();

  next(): Chain | undefined {
    const { view, at } = this;
    const elements: Element[] = [];
    let [id, more] = [0, true];
    while (more) {
      const descriptor = at.descriptors + 16 * this.#next;
      const flags = view.getUint16(descriptor + 14, true);
      const available = ((flags >> 7) & 1) === this.#round && ((flags >> 15) & 1) !== this.#round;
      if (!available) {
        assert.equal(elements.length, 0, 'a chain is available as a whole');
        return undefined;
      }
      elements.push(this.element(descriptor, flags));
      id = view.getUint16(descriptor + 12, true);
      more = (flags & NEXT) !== 0;
      if (++this.#next === this.size) [this.#next, this.#round] = [0, this.#round ^ 1];
    }
    this.#lengths.set(id, elements.length);
    if (this.eventIdx) this.want(true);
    return { id, elements };
  }

  use(id: number, written: number): boolean {
    const { view, at } = this;
    const descriptor = at.descriptors + 16 * this.#used;
    view.setUint32(descriptor + 8, written, true);
    view.setUint16(descriptor + 12, id, true);
    view.setUint16(descriptor + 14, this.#usedRound === 1 ? 0x8080 : 0, true);
    const here = this.#used | (this.#usedRound << 15);
    this.#used += this.#lengths.get(id) ?? 2;
    if (this.#used >= this.size)
      [this.#used, this.#usedRound] = [this.#used - this.size, this.#usedRound ^ 1];
    const wanted = view.getUint16(at.driver + 2, true);
    return wanted === 2 ? view.getUint16(at.driver, true) === here : wanted === 0;
  }

  want(notifications: boolean): void {
    const { view, at } = this;
    const here = this.#next | (this.#round << 15);
    view.setUint16(at.device, here, true);
    view.setUint16(at.device + 2, notifications ? (this.eventIdx ? 2 : 0) : 1, true);
  }
}

/** Both layouts, with and without event indexes. */
export const layouts = [
  { title: 'split', Queue: SplitQueue, Device: SplitSide, eventIdx: false },
  { title: 'split, event indexes', Queue: SplitQueue, Device: SplitSide, eventIdx: true },
  { title: 'packed', Queue: PackedQueue, Device: PackedSide, eventIdx: false },
  { title: 'packed, event indexes', Queue: PackedQueue, Device: PackedSide, eventIdx: true },
] as const;
export type Layout = (typeof layouts)[number];

/** A pool, a queue, and the device behind it. */
export class Model {
  readonly arena = new Arena(1 << 20);
  readonly pool: BufferPool;
  readonly burst: Burst;
  readonly queue: Virtqueue;
  readonly device: Side;
  notifications = 0;
  readonly notifier = { notify: () => this.notifications++ };

  constructor(
    { Queue, Device, eventIdx }: Layout,
    deviceWrites: boolean,
    { slots = 4, buffers = 16 }: { slots?: number; buffers?: number } = {},
  ) {
    this.pool = new BufferPool(this.arena, { count: buffers, debug: true });
    this.burst = new Burst(this.arena, 64);
    const options: QueueOptions = { pool: this.pool, iova: IOVA, slots, deviceWrites, eventIdx };
    this.queue = new Queue(options);
    this.device = new Device(this.arena, this.queue.areas, this.queue.size, eventIdx);
  }

  rx(): RxQueue {
    const rx = new RxQueue(this.queue, this.pool, this.notifier, 0);
    rx.start();
    return rx;
  }

  tx(): TxQueue {
    return new TxQueue(this.queue, this.pool, this.notifier, 1);
  }

  /** The buffer of a chain, which has a header in front. */
  frame({ elements }: Chain, writable: boolean): Element {
    const [header, frame, ...rest] = elements;
    assert(header !== undefined && frame !== undefined && rest.length === 0);
    assert.deepEqual([header.length, header.writable, frame.writable], [HEADER, writable, writable]);
    assert.equal(header.offset % 4, 0);
    this.pool.indexOf(frame.offset);
    return frame;
  }

  /** A frame of `length` bytes of one value arrives; false when there is no buffer for it. */
  deliver(value: number, length = 60): boolean {
    const chain = this.device.next();
    if (chain === undefined) return false;
    const frame = this.frame(chain, true);
    assert.equal(frame.length, this.pool.bufferBytes);
    this.arena.u8.fill(value, frame.offset, frame.offset + length);
    this.device.use(chain.id, HEADER + length);
    return true;
  }
}
