/** What the 82576's driver writes into registers, which here are memory, and how its mailbox talks. */
import assert from 'node:assert/strict';
import type { Device, IrqVector, Registers } from 'vfio';
import { Interrupts } from '../../../examples/igb/interrupts.js';
import { startQueue } from '../../../examples/igb/queue.js';
import { registerMap } from '../../../examples/igb/registers.js';
import { RSS_KEY, startRss } from '../../../examples/igb/rss.js';
import { Mailbox, Request } from '../../../examples/igb/vf/mailbox.js';
import { vfRegisterMap } from '../../../examples/igb/vf/registers.js';

/** Registers that keep what is written, and tell somebody of it. */
class Memory implements Registers {
  readonly size = 0x20000;
  readonly view = new DataView(new ArrayBuffer(this.size));
  readonly writes: number[] = [];
  written: (offset: number, value: number) => void = () => undefined;
  wasRead: (offset: number) => void = () => undefined;

  read8(offset: number): number {
    return this.view.getUint8(offset);
  }
  read16(offset: number): number {
    return this.view.getUint16(offset, true);
  }
  read32(offset: number): number {
    const value = this.view.getUint32(offset, true);
    this.wasRead(offset);
    return value;
  }
  read64(offset: number): bigint {
    return this.view.getBigUint64(offset, true);
  }
  write8(offset: number, value: number): void {
    this.view.setUint8(offset, value);
  }
  write16(offset: number, value: number): void {
    this.view.setUint16(offset, value, true);
  }
  write32(offset: number, value: number): void {
    this.view.setUint32(offset, value, true);
    this.writes.push(offset);
    this.written(offset, value);
  }
  write64(offset: number, value: bigint): void {
    this.view.setBigUint64(offset, value, true);
  }
  /** The 32 bits at an offset, as the device has them. */
  word(offset: number): number {
    return this.view.getUint32(offset, true);
  }
}

/** A device that has vectors, and nothing else. */
function deviceWith(vectors: number): Device {
  const enable = (count: number): IrqVector[] =>
    Array.from({ length: count }, (_, index) => ({ index }) as unknown as IrqVector);
  return { address: '0000:01:00.0', msix: { count: vectors, enable } } as unknown as Device;
}

describe('examples/igb: registers', () => {
  let memory: Memory;
  beforeEach(() => (memory = new Memory()));

  it('give each receive queue a vector of its own, and the last one to all the rest', () => {
    const regs = registerMap.over(memory);
    const interrupts = new Interrupts(regs, deviceWith(25), 10);
    assert.deepEqual(
      interrupts.queues.map(({ index }) => index),
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    );
    assert.equal(interrupts.other.index, 10);
    const ivar = Array.from({ length: 8 }, (_, i) => memory.word(0x1700 + 4 * i));
    assert.deepEqual(ivar, [0x880080, 0x890081, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87]);
    assert.equal(memory.word(0x1740), 0x8a00);
    assert.equal(memory.word(0x152c), 0x7ff);
    interrupts.arm(9);
    assert.equal(memory.word(0x1524), 0x200);
    interrupts.mask(3);
    assert.equal(memory.word(0x1528), 8);
  });

  it('are refused when there are too few vectors', () => {
    const regs = registerMap.over(memory);
    assert.throws(
      () => new Interrupts(regs, deviceWith(10), 10),
      /10 MSI-X vectors: enough for 9 queues, not 10/,
    );
  });

  it('say where the rings of a queue are, above 4 GiB too, and its tails only when it is enabled', async () => {
    const regs = registerMap.over(memory);
    const rings = {
      rx: { iova: 0x1_2345_0000n, size: 16, firstTail: 15 },
      tx: { iova: 0x2_8000_0000n, size: 64 },
    };
    await startQueue(regs, 3, rings, { drop: true });
    const at = (base: number, ...offsets: number[]): number[] =>
      offsets.map(offset => memory.word(base + 3 * 0x40 + offset));
    assert.deepEqual(at(0xc000, 0, 4, 8, 0x10, 0x18), [0x23450000, 1, 256, 0, 15]);
    assert.deepEqual(at(0xe000, 0, 4, 8, 0x10, 0x18), [0x80000000, 2, 1024, 0, 0]);
    // Buffers of 2 KiB, advanced descriptors with one buffer, drop when there is none.
    assert.deepEqual(at(0xc000, 0x0c), [0x82000002]);
    for (const [enable, tail] of [
      [0xc0e8, 0xc0d8],
      [0xe0e8, 0xe0d8],
    ] as const) {
      assert(memory.word(enable) & (1 << 25));
      assert(memory.writes.indexOf(tail) > memory.writes.indexOf(enable));
    }
  });

  it('of a virtual function have their queue elsewhere', async () => {
    const rings = { rx: { iova: 0x1000n, size: 8, firstTail: 7 }, tx: { iova: 0x2000n, size: 8 } };
    await startQueue(vfRegisterMap.over(memory), 0, rings, { drop: true });
    assert.deepEqual([memory.word(0x2800), memory.word(0x2818), memory.word(0x3800)], [0x1000, 7, 0x2000]);
  });

  it('spread all values of the hash over the queues', () => {
    startRss(registerMap.over(memory), 3);
    const table = Array.from({ length: 128 }, (_, i) => memory.view.getUint8(0x5c00 + i));
    assert.deepEqual(
      table,
      Array.from({ length: 128 }, (_, i) => i % 3),
    );
    const key = Array.from({ length: 40 }, (_, i) => memory.view.getUint8(0x5c80 + i));
    assert.deepEqual(key, [...RSS_KEY]);
    assert.equal(memory.word(0x5818) & 7, 2);
    startRss(registerMap.over(memory), 1);
    assert.equal(memory.word(0x5818), 0);
  });
});

describe('examples/igb/vf: mailbox', () => {
  const MAILBOX = 0x0c40;
  const [REQUEST, OURS, MESSAGE, ACKNOWLEDGED] = [1, 4, 0x10, 0x20];

  /** The other end: reads a request when told of it, and answers with these words. */
  function other(answer: (request: number[]) => number[]): { memory: Memory; requests: number[][] } {
    const memory = new Memory();
    const requests: number[][] = [];
    let clears = 0;
    memory.wasRead = offset => {
      if (offset !== MAILBOX) return;
      memory.view.setUint32(MAILBOX, (memory.word(MAILBOX) & ~(MESSAGE | ACKNOWLEDGED)) | clears, true);
      clears = 0;
    };
    memory.written = (offset, value) => {
      if (offset !== MAILBOX) return;
      memory.view.setUint32(MAILBOX, value & OURS, true);
      if ((value & REQUEST) === 0) return;
      const request = Array.from({ length: 4 }, (_, i) => memory.word(0x0800 + 4 * i));
      requests.push(request);
      for (const [i, word] of answer(request).entries()) memory.view.setUint32(0x0800 + 4 * i, word, true);
      // What was read first is acknowledged first.
      memory.view.setUint32(MAILBOX, ACKNOWLEDGED, true);
      clears = MESSAGE;
    };
    return { memory, requests };
  }

  it('asks, and returns the answer without its first word', async () => {
    const { memory, requests } = other(([first = 0]) => [first | 0xa000_0000, 0x12345678, 0x9abc]);
    const mailbox = new Mailbox(vfRegisterMap.over(memory));
    await mailbox.waitForReset();
    const [low, high] = await mailbox.ask(Request.RESET);
    assert.deepEqual([low, high], [0x12345678, 0x9abc]);
    await mailbox.ask(Request.SET_MAX_FRAME, 1522);
    assert.deepEqual(
      requests.map(([first, second]) => [first, second]),
      [
        [1, 0],
        [5, 1522],
      ],
    );
  });

  it('rejects what is refused, and answers that are none', async () => {
    const refused = new Mailbox(vfRegisterMap.over(other(([first = 0]) => [first | 0x4000_0000]).memory));
    await assert.rejects(refused.ask(Request.RESET), /asked for 1 and refused it/);
    const strange = new Mailbox(vfRegisterMap.over(other(() => [0x8000_0003]).memory));
    await assert.rejects(strange.ask(Request.RESET), /asked for 1 and answered 80000003/);
  });
});
