import assert from 'node:assert/strict';
import { Arena, BufferPool, Burst, RxRing } from 'vfio/kit';
import {
  DAMAGED,
  GOOD,
  IOVA,
  legacyRx,
  Model,
  onBothMemories,
  rxFormat,
  sequence,
  SPREAD,
  TestBell,
} from './model.js';

onBothMemories('kit: receive ring', () => {
  const setUp = (size = 8): { model: Model; burst: Burst; receive: (max?: number) => number[] } => {
    const model = new Model({ size, buffers: 4 * size });
    const burst = new Burst(model.arena, 16);
    /** First bytes of what was received; the buffers go back. */
    const receive = (max?: number): number[] => {
      const count = model.rx.burst(burst, max);
      return sequence(count).map(i => {
        const handle = burst.handle(i);
        const value = model.arena.u8[handle] ?? -1;
        const frame = model.arena.u8.subarray(handle, handle + burst.length(i));
        assert(frame.every(byte => byte === value));
        model.pool.give(handle);
        return value;
      });
    };
    return { model, burst, receive };
  };

  it('gives every descriptor a buffer of its own, and keeps one from the device', () => {
    const { model } = setUp(16);
    assert.equal(new Set(sequence(16).map(i => model.buffer(model.rx, i))).size, 16);
    assert.equal(model.rx.iova, IOVA + BigInt(model.rx.offset));
    assert.equal(model.rx.offset % 4096, 0);
    assert.equal(model.rx.firstTail, 15);
    assert.equal(model.pool.free, 48);
    let delivered = 0;
    while (model.deliver(1)) delivered++;
    assert.equal(delivered, 15);
  });

  it('hands frames over in order, around the ring many times, in bursts of every size', () => {
    for (let max = 1; max <= 8; max++) {
      const { model, receive } = setUp();
      const seen: number[] = [];
      let sent = 0;
      while (seen.length < 100) {
        while (sent < 100 && model.deliver(sent, 60 + sent)) sent++;
        assert.equal(model.rx.pending, true);
        seen.push(...receive(max));
      }
      assert.deepEqual(seen, sequence(100));
      assert.equal(model.rx.pending, false);
      assert.deepEqual([model.rx.frames, model.rx.errors], [100, 0]);
      assert.equal(model.rx.bytes, 6000 + 4950);
      assert.equal(model.pool.free, 24);
    }
  });

  it('tells the length of each frame', () => {
    const { model, burst } = setUp();
    for (const length of [60, 1518, 2048]) model.deliver(1, length);
    assert.equal(model.rx.burst(burst), 3);
    assert.deepEqual(
      sequence(3).map(i => burst.length(i)),
      [60, 1518, 2048],
    );
  });

  it('rings the bell once for a burst, and not at all for nothing', () => {
    const { model, receive } = setUp();
    assert.deepEqual(receive(), []);
    assert.equal(model.rxBell.rings, 0);
    for (let i = 0; i < 5; i++) model.deliver(i);
    receive();
    assert.deepEqual([model.rxBell.rings, model.rxBell.value], [1, 4]);
  });

  it('takes no more than asked for, and none for 0', () => {
    const { model, receive } = setUp();
    for (let i = 0; i < 5; i++) model.deliver(i);
    assert.deepEqual(receive(2), [0, 1]);
    assert.deepEqual(receive(0), []);
    assert.deepEqual(receive(8), [2, 3, 4]);
  });

  it('counts damaged frames and gives their buffers back, also when there is nothing else', () => {
    const { model, receive } = setUp();
    model.deliver(1, 60, DAMAGED);
    assert.deepEqual(receive(), []);
    assert.deepEqual([model.rxBell.rings, model.rxBell.value], [1, 0]);
    model.deliver(2, 60, DAMAGED);
    model.deliver(3);
    assert.deepEqual(receive(), [3]);
    assert.equal(model.rx.errors, 2);
    assert.equal(model.rx.frames, 1);
  });

  it('drops a frame that is spread over buffers, all of it, also across two calls', () => {
    const { model, receive } = setUp();
    model.deliver(1, 2048, SPREAD);
    assert.deepEqual(receive(), []);
    model.deliver(2, 2048, SPREAD);
    model.deliver(3, 10);
    model.deliver(4);
    assert.deepEqual(receive(), [4]);
    assert.equal(model.rx.errors, 1);
  });

  it('drops what is longer than its buffer, or empty, whatever the device says', () => {
    const { model, receive } = setUp();
    model.deliver(1, 2049);
    model.deliver(2, 0xffff);
    model.deliver(3, 0);
    model.deliver(4, 2048);
    assert.deepEqual(receive(), [4]);
    assert.equal(model.rx.errors, 3);
  });

  it('comes back from a device that says "done" for ever', () => {
    const { model, burst } = setUp();
    const nonsense = (status: bigint): void => sequence(8).forEach(i => model.setWord(model.rx, i, status));
    nonsense(DAMAGED);
    assert.equal(model.rx.burst(burst, 8), 0);
    assert(model.rx.errors <= 8);
    nonsense(GOOD | (60n << 32n));
    assert.equal(model.rx.burst(burst, 8), 8);
  });

  it('leaves frames in the ring while the pool is empty', () => {
    const model = new Model({ size: 8, buffers: 10 });
    const burst = new Burst(model.arena, 8);
    for (let i = 0; i < 5; i++) model.deliver(i);
    assert.equal(model.rx.burst(burst), 2);
    assert.equal(model.rx.noBuffer, 1);
    assert.equal(model.rx.burst(burst), 0);
    assert.equal(model.rx.pending, true);
    const handle = burst.handle(0);
    model.pool.give(handle);
    assert.equal(model.rx.burst(burst), 1);
    assert.equal(model.arena.u8[burst.handle(0)], 2);
  });

  it('knows the older format, with the length below the status', () => {
    const arena = new Arena(1 << 18);
    const pool = new BufferPool(arena, { count: 16 });
    const ring = new RxRing({ pool, size: 8, iova: 0n, format: legacyRx, bell: new TestBell() });
    const burst = new Burst(arena, 8);
    const at = ring.offset >> 2;
    arena.u32.set([0xbeef0000 | 77, 3], at + 2);
    arena.u32.set([60, 3 | 0x100], at + 6);
    assert.equal(ring.pending, true);
    assert.equal(ring.burst(burst), 1);
    assert.equal(burst.length(0), 77);
    assert.equal(ring.errors, 1);
  });

  it('keeps notes of the frames of a burst, when asked to, and only of those that are good', () => {
    const arena = new Model().arena;
    const pool = new BufferPool(arena, { count: 16 });
    const format = { ...legacyRx, noteShift: 32 };
    const ring = new RxRing({ pool, size: 8, iova: 0n, format, bell: new TestBell() });
    const burst = new Burst(arena, 8);
    const at = ring.offset >> 2;
    arena.u32.set([77, 3 | 0x12340060], at + 2);
    arena.u32.set([60, 3 | 0x100], at + 6);
    arena.u32.set([88, 3 | 0xabcd2020], at + 10);
    assert.equal(ring.burst(burst), 2);
    assert.deepEqual([burst.length(0), burst.length(1)], [77, 88]);
    assert.deepEqual([...(ring.notes ?? [])].slice(0, 2), [0x12340063, 0xabcd2023]);
    arena.u32.set([99, 3], at + 14);
    assert.equal(ring.burst(burst), 1);
    assert.equal(ring.notes?.[0], 3);
    assert.equal(new Model().rx.notes, undefined);
    assert.throws(
      () =>
        new RxRing({ pool, size: 8, iova: 0n, format: { ...format, noteShift: 33 }, bell: new TestBell() }),
      /noteShift must be .*0 to 32; got 33/,
    );
  });

  it('gives all buffers back when closed, and then refuses', () => {
    const { model, burst } = setUp();
    model.rx.close();
    model.rx.close();
    assert.equal(model.pool.free, model.pool.count);
    assert.throws(() => model.rx.burst(burst), { code: 'ERR_VFIO_CLOSED' });
  });

  it('refuses what cannot be', () => {
    const { model, burst } = setUp();
    assert.throws(() => model.rx.burst(burst, 9), {
      code: 'ERR_OUT_OF_RANGE',
      message: /integer from 0 to 8 \(the burst has room for 16, the ring for 8\); got 9/,
    });
    assert.throws(() => model.rx.burst(burst, -1), { code: 'ERR_OUT_OF_RANGE' });
    assert.throws(() => model.rx.burst(burst, 1.5), { code: 'ERR_OUT_OF_RANGE' });
    assert.throws(() => model.rx.burst(new Burst(new Arena(65536), 8), 1), {
      code: 'ERR_INVALID_ARG_TYPE',
      message: /burst must be a Burst in the arena of the ring's pool/,
    });
    const make = (options: object): (() => RxRing) => {
      const base = { pool: model.pool, size: 8, iova: 0n, format: rxFormat, bell: new TestBell() };
      return () => new RxRing({ ...base, ...options });
    };
    assert.throws(make({ size: 100 }), /options\.size must be a power of two, .*; got 100/);
    assert.throws(make({ size: 4 }), /options\.size must be an integer from 8 to 16384; got 4/);
    assert.throws(make({ size: 32 }), /needs as many buffers; the pool has 24 free of 32/);
    assert.throws(make({ pool: {} }), /options\.pool must be a BufferPool/);
    assert.throws(make({ iova: -1n }), { code: 'ERR_OUT_OF_RANGE' });
    assert.throws(make({ bell: 7 }), /options\.bell must be a Doorbell/);
  });
});
