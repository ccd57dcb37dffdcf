import assert from 'node:assert/strict';
import { Arena, BufferPool, Burst, TxRing } from 'vfio/kit';
import { IOVA, legacyTx, Model, type ModelOptions, onBothMemories, sequence, TestBell } from './model.js';

onBothMemories('kit: transmit ring', () => {
  interface Setting {
    model: Model;
    burst: Burst;
    /** Puts frames of these values into the burst and sends them; those not taken are given back. */
    transmit: (values: number[], length?: number) => number;
  }
  const setUp = (options?: ModelOptions): Setting => {
    const model = new Model({ buffers: 64, ...options });
    const burst = new Burst(model.arena, 32);
    const transmit = (values: number[], length = 60): number => {
      values.forEach((value, i) => {
        const handle = model.pool.take();
        assert.notEqual(handle, 0);
        model.arena.u8.fill(value, handle, handle + Math.min(length, 2048));
        burst.set(i, handle, length);
      });
      const taken = model.tx.burst(burst, values.length);
      for (let i = taken; i < values.length; i++) model.pool.give(burst.handle(i));
      return taken;
    };
    return { model, burst, transmit };
  };

  it('sends frames in order, around rings of every size, in bursts of every size', () => {
    for (const size of [8, 16, 64]) {
      for (const count of [1, 3, 6]) {
        const { model, transmit } = setUp({ size, buffers: 4 * size });
        const seen: number[] = [];
        for (let i = 0; i + count <= 200; i += count) {
          assert.equal(transmit(sequence(count, i)), count);
          seen.push(...model.send());
        }
        assert.deepEqual(seen, sequence(seen.length));
        assert.equal(model.tx.frames, seen.length);
        assert.equal(model.tx.bytes, 60 * seen.length);
        assert(model.tx.inFlight < size);
        assert.equal(model.pool.free + model.tx.inFlight, 3 * size, 'no buffer is lost');
      }
    }
  });

  it('holds all descriptors but one, takes what fits, and goes on when the device caught up', () => {
    const { model, transmit } = setUp();
    assert.equal(transmit(sequence(5)), 5);
    assert.equal(transmit(sequence(5, 5)), 2);
    assert.equal(transmit([9]), 0);
    assert.equal(model.tx.inFlight, 7);
    assert.deepEqual(model.send(4), [0, 1, 2, 3]);
    assert.equal(transmit(sequence(5, 10)), 4);
    assert.deepEqual(model.send(), [4, 5, 6, 10, 11, 12, 13]);
  });

  it('rings the bell once for a burst, and not at all for nothing', () => {
    const { model, burst, transmit } = setUp();
    transmit(sequence(5));
    assert.deepEqual([model.txBell.rings, model.txBell.value], [1, 5]);
    model.tx.burst(burst, 0);
    assert.equal(model.txBell.rings, 1);
  });

  it('asks for a report of the last frame of a burst, and where buffers are taken back', () => {
    const { model, transmit } = setUp({ size: 64, buffers: 128 });
    transmit(sequence(5));
    transmit(sequence(32));
    transmit([1]);
    transmit(sequence(2));
    model.send();
    assert.deepEqual(model.reported, [4, 15, 31, 36, 37, 39]);
  });

  it('asks for it around the end of the ring', () => {
    const { model, transmit } = setUp({ size: 16 });
    for (const count of [13, 6, 12]) {
      assert.equal(transmit(sequence(count)), count);
      model.send();
    }
    // Every fourth, and 12, (13 + 6 - 1) % 16, (19 + 12 - 1) % 16.
    assert.deepEqual(model.reported, [3, 7, 11, 12, 15, 2, 3, 7, 11, 14]);
  });

  it('takes back what was sent when asked to send nothing', () => {
    const { model, burst, transmit } = setUp();
    assert.deepEqual([model.tx.pending, model.tx.unsent], [false, 0]);
    transmit(sequence(6));
    assert.equal(model.tx.unsent, 6);
    model.send(5);
    assert.deepEqual([model.tx.pending, model.tx.unsent], [true, 2]); // The last report was of the fourth.
    model.send();
    assert.deepEqual([model.tx.pending, model.tx.unsent], [false, 0]);
    model.tx.burst(burst, 0);
    assert.equal(model.tx.inFlight, 0);
    assert.equal(model.pool.free, 56);
  });

  it('knows how many frames were not sent, wherever in the ring they are', () => {
    const { model, transmit } = setUp();
    for (let i = 0; i < 50; i++) {
      const taken = transmit(sequence(3, i));
      const before = model.tx.unsent;
      assert(before >= taken && before <= 7);
      model.send(2);
      assert.equal(model.tx.unsent, before - 2);
    }
    model.tx.close();
    assert.equal(model.tx.unsent, 0);
  });

  it('sends a part of a burst', () => {
    const { model, burst } = setUp();
    for (let i = 0; i < 4; i++) {
      const handle = model.pool.take();
      model.arena.u8[handle] = i;
      burst.set(i, handle, 60);
    }
    assert.equal(model.tx.burst(burst, 2, 1), 2);
    assert.deepEqual(model.send(), [1, 2]);
  });

  it('counts frames of impossible length, and gives their buffers back', () => {
    const { model, transmit } = setUp({ maxFrame: 1514 });
    for (const length of [0, 16, 1515, 9000, 0xffffffff]) assert.equal(transmit([1], length), 1);
    assert.equal(model.tx.errors, 5);
    assert.equal(transmit([2], 17), 1);
    assert.equal(transmit([3], 1514), 1);
    assert.deepEqual(model.send(), [2, 3]);
    assert.equal(model.tx.frames, 2);
    assert.equal(model.pool.free + model.tx.inFlight, 56);
  });

  it('knows the older format', () => {
    const arena = new Arena(1 << 18);
    const pool = new BufferPool(arena, { count: 16 });
    const bell = new TestBell();
    const ring = new TxRing({ pool, size: 8, iova: IOVA, format: legacyTx, bell });
    const burst = new Burst(arena, 8);
    const handle = pool.take();
    burst.set(0, handle, 99);
    ring.burst(burst, 1);
    assert.deepEqual(
      [...arena.u64.subarray(ring.offset >> 3, (ring.offset >> 3) + 2)],
      [IOVA + BigInt(handle), 0x0b00_0063n],
    );
    assert.equal(bell.value, 1);
  });

  it('never makes the pool larger than it is, whatever was sent twice', () => {
    const { model, burst } = setUp();
    const handle = model.pool.take();
    for (let i = 0; i < 7; i++) burst.set(i, handle, 60);
    for (let round = 0; round < 20; round++) {
      model.tx.burst(burst, 7);
      model.send();
    }
    assert(model.pool.free <= model.pool.count);
  });

  it('gives all buffers back when closed, sent or not, and then refuses', () => {
    const { model, burst, transmit } = setUp();
    transmit(sequence(5));
    model.send(2);
    model.tx.close();
    model.tx.close();
    assert.equal(model.pool.free, 56);
    assert.throws(() => model.tx.burst(burst, 0), { code: 'ERR_VFIO_CLOSED' });
  });

  it('refuses what cannot be', () => {
    const { model, burst } = setUp();
    const { tx } = model;
    assert.throws(() => tx.burst(burst, 33), /integer from 0 to 32 \(the burst has room for 32\); got 33/);
    assert.throws(() => tx.burst(burst, 1, 32), { code: 'ERR_OUT_OF_RANGE' });
    assert.throws(() => tx.burst(burst, 1, -1), { code: 'ERR_OUT_OF_RANGE' });
    assert.throws(() => tx.burst(burst, 1, 0.5), { code: 'ERR_OUT_OF_RANGE' });
    assert.throws(() => tx.burst(burst, NaN), { code: 'ERR_OUT_OF_RANGE' });
    assert.throws(() => tx.burst(undefined as unknown as Burst, 1), { name: 'TypeError' });
    const base = { pool: model.pool, size: 8, iova: 0n, format: legacyTx, bell: new TestBell() };
    assert.throws(
      () => new TxRing({ ...base, maxFrame: 4096 }),
      /options\.maxFrame must be .*2048; got 4096/,
    );
    assert.throws(() => new TxRing({ ...base, minFrame: 0 }), /options\.minFrame/);
    assert.throws(() => new TxRing({ ...base, size: 12 }), /power of two/);
  });
});
