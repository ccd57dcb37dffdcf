/**
 * The descriptor rings against a model of the device that moves data in plain memory: what it may touch is exactly what
 * head and tail say. The rings on a real kernel are in test/lab/examples.
 */
import assert from 'node:assert/strict';
import type { Dma, DmaBuffer, Registers } from 'vfio';
import { Reg } from '../../../examples/e1000e/registers.js';
import { RxRing } from '../../../examples/e1000e/rx-ring.js';
import { MAX_FRAME, TxRing } from '../../../examples/e1000e/tx-ring.js';

const IOVA = 0x1_2345_0000n;
const DONE = 1;
const END_OF_PACKET = 2;
const CRC_ERROR = 0x100;

/** Memory and registers as the rings and the model share them. */
class Bench {
  readonly values = new Map<number, number>();
  readonly writes: [offset: number, value: number][] = [];
  readonly memories: Uint8Array[] = [];

  readonly registers = {
    write32: (offset: number, value: number): void => {
      this.values.set(offset, value);
      this.writes.push([offset, value]);
    },
    read32: (offset: number): number => this.values.get(offset) ?? 0,
  } as unknown as Registers;

  readonly dma = {
    alloc: (bytes: number): DmaBuffer => {
      const u8 = new Uint8Array(Math.ceil(bytes / 4096) * 4096);
      const iova = IOVA + BigInt(this.memories.push(u8) - 1) * 0x100_0000n;
      return {
        iova,
        iovaLo: Number(iova & 0xffffffffn),
        iovaHi: Number(iova >> 32n),
        u8,
        u32: new Uint32Array(u8.buffer),
        iovaAt: (offset: number) => iova + BigInt(offset),
      } as unknown as DmaBuffer;
    },
  } as unknown as Dma;

  register(offset: number): number {
    return this.values.get(offset) ?? assert.fail(`register ${offset.toString(16)} was not written`);
  }

  /** The words of descriptor `index` of the ring that was allocated as number `memory`. */
  descriptor(memory: number, index: number): Uint32Array {
    const bytes = this.memories[memory] ?? assert.fail();
    return new Uint32Array(bytes.buffer, index * 16, 4);
  }

  /** The buffer that a descriptor points at, found by its address alone. */
  buffer(descriptor: Uint32Array): Uint8Array {
    const address = (BigInt(descriptor[1] ?? 0) << 32n) + BigInt(descriptor[0] ?? 0) - IOVA;
    const memory = this.memories[Number(address / 0x100_0000n)] ?? assert.fail();
    const offset = Number(address % 0x100_0000n);
    return memory.subarray(offset, offset + 2048);
  }
}

/** Fills descriptors from the head on, as long as the tail allows. */
class ReceivingDevice {
  head = 0;
  constructor(
    private readonly bench: Bench,
    private readonly size: number,
  ) {}

  /** Whether there was a descriptor for it. */
  deliver(contents: number, length: number, status = DONE | END_OF_PACKET): boolean {
    if (this.head === this.bench.register(Reg.RDT)) return false;
    const descriptor = this.bench.descriptor(0, this.head);
    this.bench.buffer(descriptor).fill(contents, 0, length);
    descriptor[2] = length | 0xbeef0000;
    descriptor[3] = status;
    this.head = (this.head + 1) % this.size;
    return true;
  }
}

describe('examples/e1000e: receive ring', () => {
  function setUp(size = 8): { bench: Bench; ring: RxRing; device: ReceivingDevice } {
    const bench = new Bench();
    const ring = new RxRing(bench.registers, bench.dma, size);
    ring.start();
    return { bench, ring, device: new ReceivingDevice(bench, size) };
  }

  it('tells the device where the ring is, above 4 GiB too, and enables the receiver last', () => {
    const { bench } = setUp(16);
    assert.equal(bench.register(Reg.RDBAL), 0x23450000);
    assert.equal(bench.register(Reg.RDBAH), 1);
    assert.equal(bench.register(Reg.RDLEN), 256);
    assert.equal(bench.register(Reg.RDH), 0);
    assert.equal(bench.register(Reg.RDT), 15);
    assert.equal(bench.writes.at(-1)?.[0], Reg.RCTL);
  });

  it('gives every descriptor a buffer of its own', () => {
    const { bench } = setUp(16);
    const offsets = Array.from({ length: 16 }, (_, i) => bench.buffer(bench.descriptor(0, i)).byteOffset);
    assert.deepEqual(
      offsets,
      Array.from({ length: 16 }, (_, i) => i * 2048),
    );
  });

  it('hands over frames in order, around the ring five times, in bursts of every size', () => {
    for (let burst = 1; burst <= 9; burst++) {
      const { ring, device } = setUp();
      const seen: number[] = [];
      let sent = 0;
      while (seen.length < 40) {
        while (sent < 40 && device.deliver(sent, 60 + sent)) sent++;
        assert.equal(ring.pending, true);
        ring.receive(burst, (buffer, length) => {
          const value = buffer[0] ?? -1;
          assert.equal(length, 60 + value);
          assert.ok(buffer.subarray(0, length).every(byte => byte === value));
          seen.push(value);
        });
      }
      assert.deepEqual(
        seen,
        Array.from({ length: 40 }, (_, i) => i),
      );
      assert.equal(ring.pending, false);
      assert.equal(ring.frames, 40);
      assert.equal(ring.errors, 0);
    }
  });

  it('lets the device have all descriptors but one, and takes what it filled', () => {
    const { ring, device } = setUp();
    let delivered = 0;
    while (device.deliver(1, 60)) delivered++;
    assert.equal(delivered, 7);
    assert.equal(
      ring.receive(100, () => undefined),
      7,
    );
    assert.equal(device.deliver(1, 60), true);
  });

  it('writes the tail once for a burst, and not at all for nothing', () => {
    const { bench, ring, device } = setUp();
    assert.equal(
      ring.receive(8, () => assert.fail()),
      0,
    );
    for (let i = 0; i < 5; i++) device.deliver(i, 60);
    const before = bench.writes.length;
    assert.equal(
      ring.receive(8, () => undefined),
      5,
    );
    assert.deepEqual(bench.writes.slice(before), [[Reg.RDT, 4]]);
  });

  it('takes no more than asked for', () => {
    const { ring, device } = setUp();
    for (let i = 0; i < 5; i++) device.deliver(i, 60);
    assert.equal(
      ring.receive(2, () => undefined),
      2,
    );
    assert.equal(
      ring.receive(0, () => undefined),
      0,
    );
    assert.equal(
      ring.receive(8, () => undefined),
      3,
    );
  });

  it('counts damaged frames and does not hand them over', () => {
    const { ring, device } = setUp();
    device.deliver(1, 60, DONE | END_OF_PACKET | CRC_ERROR);
    device.deliver(2, 60);
    const seen: (number | undefined)[] = [];
    assert.equal(
      ring.receive(8, buffer => seen.push(buffer[0])),
      2,
    );
    assert.deepEqual(seen, [2]);
    assert.equal(ring.errors, 1);
  });

  it('drops a frame that is spread over descriptors, all of it, also across two calls', () => {
    const { ring, device } = setUp();
    const seen: (number | undefined)[] = [];
    device.deliver(1, 2048, DONE);
    ring.receive(8, () => assert.fail());
    device.deliver(2, 2048, DONE);
    device.deliver(3, 10);
    device.deliver(4, 60);
    ring.receive(8, buffer => seen.push(buffer[0]));
    assert.deepEqual(seen, [4]);
    assert.equal(ring.errors, 1);
  });

  it('loses nothing when the handler throws', () => {
    const { ring, device } = setUp();
    for (let i = 0; i < 3; i++) device.deliver(i, 60);
    assert.throws(() => ring.receive(8, () => assert.fail('once')), /once/);
    const seen: (number | undefined)[] = [];
    ring.receive(8, buffer => seen.push(buffer[0]));
    assert.deepEqual(seen, [1, 2]);
    for (let i = 0; i < 5; i++) assert.equal(device.deliver(i, 60), true);
  });
});

describe('examples/e1000e: transmit ring', () => {
  function setUp(size = 8): { bench: Bench; ring: TxRing; send: (max?: number) => number[] } {
    const bench = new Bench();
    const ring = new TxRing(bench.registers, bench.dma, size);
    ring.start();
    let head = 0;
    /** What the device does: reads up to `max` descriptors and reports each as done. Returns the first bytes sent. */
    const send = (max = Infinity): number[] => {
      const sent: number[] = [];
      for (; sent.length < max && head !== bench.register(Reg.TDT); head = (head + 1) % size) {
        const descriptor = bench.descriptor(0, head);
        assert.equal((descriptor[2] ?? 0) >>> 24, 0x0b, 'EOP, IFCS and RS');
        assert.equal(descriptor[3], 0, 'not yet done');
        sent.push(bench.buffer(descriptor)[0] ?? -1);
        descriptor[3] = DONE;
      }
      return sent;
    };
    return { bench, ring, send };
  }
  const frame = (value: number, length = 60): Uint8Array => new Uint8Array(length).fill(value);

  it('sends frames in order, around the ring five times', () => {
    const { ring, send } = setUp();
    const seen: number[] = [];
    for (let i = 0; i < 40; i++) {
      assert.equal(ring.transmit(frame(i)), true);
      if (i % 3 === 0) seen.push(...send());
    }
    seen.push(...send());
    assert.deepEqual(
      seen,
      Array.from({ length: 40 }, (_, i) => i),
    );
    assert.equal(ring.frames, 40);
    assert.equal(ring.bytes, 2400);
  });

  it('holds all descriptors but one, says so when full, and goes on when the device caught up', () => {
    const { ring, send } = setUp();
    for (let i = 0; i < 7; i++) assert.equal(ring.transmit(frame(i)), true);
    assert.equal(ring.inFlight, 7);
    assert.equal(ring.transmit(frame(7)), false);
    assert.equal(ring.reserve(), undefined);
    assert.equal(ring.full, 2);
    assert.deepEqual(send(2), [0, 1]);
    assert.equal(ring.transmit(frame(8)), true);
    assert.equal(ring.transmit(frame(9)), true);
    assert.equal(ring.transmit(frame(10)), false);
    assert.deepEqual(send(), [2, 3, 4, 5, 6, 8, 9]);
    assert.equal(ring.reclaim(), 7);
    assert.equal(ring.inFlight, 0);
  });

  it('rings the bell once for a burst', () => {
    const { bench, ring, send } = setUp();
    const before = bench.writes.length;
    for (let i = 0; i < 5; i++) {
      ring.reserve()?.fill(i, 0, 60);
      ring.commit(60);
    }
    assert.deepEqual(send(), []);
    ring.flush();
    ring.flush();
    assert.deepEqual(bench.writes.slice(before), [[Reg.TDT, 5]]);
    assert.deepEqual(send(), [0, 1, 2, 3, 4]);
  });

  it('reserves the same buffer until it is committed', () => {
    const { ring } = setUp();
    const first = ring.reserve();
    assert.equal(ring.reserve(), first);
    ring.commit(60);
    assert.notEqual(ring.reserve(), first);
  });

  it('does not take back what the device was not told about', () => {
    const { ring } = setUp();
    ring.reserve();
    ring.commit(60);
    assert.equal(ring.reclaim(), 0);
    assert.equal(ring.inFlight, 1);
  });

  it('refuses frames of impossible length and stays usable', () => {
    const { ring, send } = setUp();
    for (const length of [0, 16, MAX_FRAME + 1, 9000]) {
      assert.throws(() => ring.transmit(frame(1, length)), {
        name: 'RangeError',
        message: new RegExp(`not ${length}`),
      });
    }
    assert.equal(ring.transmit(frame(2, MAX_FRAME)), true);
    assert.equal(ring.transmit(frame(3, 17)), true);
    assert.deepEqual(send(), [2, 3]);
  });
});
