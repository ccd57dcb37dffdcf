/**
 * A device that moves frames in memory, as head and tail of its rings allow it and not otherwise. It knows descriptors by what
 * is written in them alone, so that what the rings write is what is tested.
 */
import assert from 'node:assert/strict';
import type { Dma, DmaBuffer } from 'vfio';
import {
  advancedRx,
  advancedTx,
  Arena,
  type Bell,
  BufferPool,
  type RxFormat,
  RxRing,
  type TxFormat,
  TxRing,
} from 'vfio/kit';

export const IOVA = 0x7_fff0_0000n;
export const rxFormat = advancedRx(1n << 29n);
/** As the 82574 has them: the length low, the status high. */
export const legacyRx: RxFormat = {
  done: 1n << 32n,
  good: { mask: (1n << 33n) | (0x97n << 40n), value: 1n << 33n },
  last: 1n << 33n,
  lengthShift: 0,
};
export const legacyTx: TxFormat = {
  command: 0x0300_0000n,
  report: 1n << 27n,
  lengthShifts: [0],
  done: 1n << 32n,
};
export const txFormat = advancedTx;

export const GOOD = 3n;
export const SPREAD = 1n;
export const DAMAGED = 3n | (1n << 29n);

export class TestBell implements Bell {
  value = -1;
  rings = 0;
  ring(value: number): void {
    this.value = value;
    this.rings++;
  }
}

/** Whether models have memory that WebAssembly cannot reach, as without an IOMMU. */
export const plainMemory = { used: false };

export function plainArena(bytes: number): Arena {
  const memory = { buffer: new ArrayBuffer(bytes), byteOffset: 0, byteLength: bytes, iova: IOVA };
  return new Arena(bytes, Object.create(null) as Dma, memory as unknown as DmaBuffer);
}

/** The same tests on both kinds of memory. */
export function onBothMemories(title: string, tests: () => void): void {
  for (const used of [false, true]) {
    describe(`${title}, ${used ? 'in plain TypeScript' : 'compiled'}`, () => {
      before(() => (plainMemory.used = used));
      after(() => (plainMemory.used = false));
      tests();
    });
  }
}

export interface ModelOptions {
  size?: number;
  buffers?: number;
  /** Its size in bytes. */
  arena?: number;
  debug?: boolean;
  maxFrame?: number;
}

/** A pool, a ring each way, and the device behind them. */
export class Model {
  readonly arena: Arena;
  readonly pool: BufferPool;
  readonly rxBell = new TestBell();
  readonly txBell = new TestBell();
  readonly rx: RxRing;
  readonly tx: TxRing;
  rxHead = 0;
  txHead = 0;
  /** The transmit descriptors that reports were written to. */
  readonly reported: number[] = [];

  constructor({
    size = 8,
    buffers = 64,
    debug = false,
    maxFrame = 1518,
    arena = 2 << 20,
  }: ModelOptions = {}) {
    this.arena = plainMemory.used ? plainArena(arena) : new Arena(arena);
    this.pool = new BufferPool(this.arena, { count: buffers, debug });
    const common = { pool: this.pool, size, iova: IOVA };
    this.rx = new RxRing({ ...common, format: rxFormat, bell: this.rxBell });
    this.tx = new TxRing({ ...common, format: txFormat, bell: this.txBell, maxFrame });
    this.rxBell.ring(this.rx.firstTail);
    this.txBell.ring(0);
    this.rxBell.rings = this.txBell.rings = 0;
  }

  /** Where in the arena the buffer of a descriptor is, by its address. */
  buffer(ring: { offset: number }, index: number): number {
    const address = this.arena.u64[(ring.offset >> 3) + 2 * index] ?? assert.fail();
    const offset = Number(address - IOVA);
    this.pool.indexOf(offset);
    return offset;
  }

  word(ring: { offset: number }, index: number): bigint {
    return this.arena.u64[(ring.offset >> 3) + 2 * index + 1] ?? assert.fail();
  }

  setWord(ring: { offset: number }, index: number, value: bigint): void {
    this.arena.u64[(ring.offset >> 3) + 2 * index + 1] = value;
  }

  /** A frame of `length` bytes of one value arrives; false when the device has no descriptor for it. */
  deliver(value: number, length = 60, status = GOOD): boolean {
    if (this.rxHead === this.rxBell.value) return false;
    assert.equal(this.word(this.rx, this.rxHead), 0n, 'the descriptor was given back');
    const at = this.buffer(this.rx, this.rxHead);
    this.arena.u8.fill(value, at, at + Math.min(length, this.pool.bufferBytes));
    this.setWord(this.rx, this.rxHead, status | (BigInt(length) << 32n));
    this.rxHead = (this.rxHead + 1) % this.rx.size;
    return true;
  }

  /** The device sends up to `max` frames and reports those it is asked to; returns their first bytes. */
  send(max = Infinity): number[] {
    const sent: number[] = [];
    for (
      ;
      sent.length < max && this.txHead !== this.txBell.value;
      this.txHead = (this.txHead + 1) % this.tx.size
    ) {
      const word = this.word(this.tx, this.txHead);
      const length = word & 0xffffn;
      const report = word & advancedTx.report;
      assert.equal(word ^ report, advancedTx.command | length | (length << 46n), 'as the datasheet wants it');
      const at = this.buffer(this.tx, this.txHead);
      const frame = this.arena.u8.subarray(at, at + Number(length));
      sent.push(frame[0] ?? -1);
      if (report !== 0n) {
        this.setWord(this.tx, this.txHead, word | advancedTx.done);
        this.reported.push(this.txHead);
      }
    }
    return sent;
  }
}

/** From `first` on. */
export function sequence(count: number, first = 0): number[] {
  return Array.from({ length: count }, (_, i) => first + i);
}
