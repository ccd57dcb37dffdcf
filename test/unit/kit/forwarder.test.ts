import assert from 'node:assert/strict';
import { Arena, BufferPool, Burst, type FrameEdit, Forwarder, TxRing } from 'vfio/kit';
import { Random } from '../../support/random.js';
import { DAMAGED, GOOD, IOVA, Model, sequence, SPREAD, TestBell, txFormat } from './model.js';

describe('kit: forwarder', () => {
  it('moves frames in order, in passes of every size, and loses no buffer', () => {
    for (let max = 1; max <= 8; max++) {
      const model = new Model();
      const forwarder = new Forwarder(model.rx, model.tx);
      const seen: number[] = [];
      let sent = 0;
      let forwarded = 0;
      while (seen.length < 100) {
        while (sent < 100 && model.deliver(sent)) sent++;
        forwarded += forwarder.forward(max);
        seen.push(...model.send());
      }
      assert.deepEqual(seen, sequence(100));
      assert.equal(forwarded, 100);
      assert.deepEqual(
        [model.rx.frames, model.tx.frames, model.rx.bytes, model.tx.bytes],
        [100, 100, 6000, 6000],
      );
      assert.equal(model.pool.free + model.tx.inFlight, 56);
    }
  });

  it('does the same with rings whose tails do not fit one number', () => {
    const model = new Model({ size: 2048, buffers: 4200, arena: 32 << 20 });
    const forwarder = new Forwarder(model.rx, model.tx);
    assert.equal(forwarder.forward(32), 0);
    let next = 0;
    for (let round = 0; round < 5; round++) {
      while (model.deliver(next & 0xff)) next++;
      model.send();
      let forwarded = 0;
      for (let count; (count = forwarder.forward(1000)) > 0; forwarded += count) model.send();
      assert.equal(forwarded, 2047);
    }
    model.deliver(1, 60, DAMAGED);
    assert.equal(forwarder.forward(8), 0);
    assert.equal(model.tx.frames, 5 * 2047);
    assert.deepEqual(
      [model.rx.errors, model.rxBell.value],
      [1, model.rxHead === 0 ? 2047 : model.rxHead - 1],
    );
  });

  it('leaves frames in the receive ring while the transmit ring is full', () => {
    const model = new Model();
    const forwarder = new Forwarder(model.rx, model.tx);
    for (let i = 0; i < 7; i++) model.deliver(i);
    assert.equal(forwarder.forward(100), 7);
    for (let i = 7; i < 12; i++) model.deliver(i);
    assert.equal(forwarder.forward(100), 0);
    assert.deepEqual(model.send(), sequence(7));
    assert.equal(forwarder.forward(100), 5);
    assert.deepEqual(model.send(), sequence(5, 7));
  });

  it('drops what is damaged, spread, or of a length that cannot be sent', () => {
    const model = new Model({ size: 16, maxFrame: 1514 });
    const forwarder = new Forwarder(model.rx, model.tx);
    model.deliver(1, 60, DAMAGED);
    assert.equal(forwarder.forward(8), 0);
    assert.deepEqual([model.rxBell.rings, model.txBell.rings], [1, 0]);
    model.deliver(2, 2048, SPREAD);
    model.deliver(3, 60);
    model.deliver(4, 1515);
    model.deliver(5, 16);
    model.deliver(6);
    assert.equal(forwarder.forward(8), 1);
    assert.deepEqual(model.send(), [6]);
    assert.equal(model.rx.errors, 4);
  });

  it('rings each bell once for a pass, and none for nothing', () => {
    const model = new Model();
    const forwarder = new Forwarder(model.rx, model.tx);
    assert.equal(forwarder.forward(8), 0);
    for (let i = 0; i < 3; i++) model.deliver(i);
    assert.equal(forwarder.forward(8), 3);
    assert.deepEqual([model.rxBell.rings, model.rxBell.value], [1, 2]);
    assert.deepEqual([model.txBell.rings, model.txBell.value], [1, 3]);
  });

  it('asks for a report of the last frame of a pass, and where buffers are taken back', () => {
    const model = new Model();
    const forwarder = new Forwarder(model.rx, model.tx);
    for (const count of [3, 1, 1]) {
      for (let i = 0; i < count; i++) model.deliver(i);
      assert.equal(forwarder.forward(count), count);
      model.send();
    }
    assert.deepEqual(model.reported, [1, 2, 3, 4]);
  });

  it('does the same one frame at a time, whatever comes', () => {
    // A pass of one frame has a way of its own through what is ordinary.
    const random = new Random(5);
    const kinds = [GOOD, GOOD, GOOD, GOOD, DAMAGED, SPREAD];
    const ways = [1, 4].map(max => {
      const model = new Model({ buffers: 20 });
      return { model, max, forwarder: new Forwarder(model.rx, model.tx) };
    });
    for (let round = 0; round < 3000; round++) {
      const frames = Array.from({ length: random.below(5) }, () => ({
        value: random.below(256),
        length: 15 + random.below(100),
        status: random.pick(kinds),
      }));
      const [toSend, poolEmpty] = [random.below(6), random.chance(0.1)];
      const [singly, together] = ways.map(({ model, max, forwarder }) => {
        const { pool, rx, tx, rxBell, txBell } = model;
        for (const { value, length, status } of frames) model.deliver(value, length, status);
        const taken: number[] = [];
        for (let handle; poolEmpty && (handle = pool.take()) !== 0;) taken.push(handle);
        let forwarded = 0;
        for (let left = 4; left > 0; left -= max) forwarded += forwarder.forward(max);
        for (const handle of taken) pool.give(handle);
        const counted = [rx.frames, rx.bytes, rx.errors, tx.frames, tx.bytes, tx.inFlight, pool.free];
        return { forwarded, counted, tails: [rxBell.value, txBell.value], sent: model.send(toSend) };
      });
      assert.deepEqual(singly, together, `round ${round}`);
    }
    for (const { rx, tx } of ways.map(({ model }) => model)) {
      assert(rx.errors > 100 && rx.noBuffer > 10 && tx.frames > 1000);
    }
  });

  it('takes turns with bursts on the same rings', () => {
    const model = new Model();
    const burst = new Burst(model.arena, 8);
    const forwarder = new Forwarder(model.rx, model.tx);
    for (let i = 0; i < 4; i++) model.deliver(i);
    assert.equal(forwarder.forward(2), 2);
    assert.equal(model.rx.burst(burst, 1), 1);
    assert.equal(model.tx.burst(burst, 1), 1);
    assert.equal(forwarder.forward(2), 1);
    assert.deepEqual(model.send(), sequence(4));
  });

  describe('edits', () => {
    const forwarded = (...edits: FrameEdit[]): Uint8Array => {
      const model = new Model();
      const forwarder = new Forwarder(model.rx, model.tx, edits);
      model.deliver(0);
      const at = model.buffer(model.rx, 0);
      model.arena.u8.set(sequence(64), at);
      assert.equal(forwarder.forward(1), 1);
      assert.equal(model.buffer(model.tx, 0), at, 'the same buffer');
      return model.arena.u8.slice(at, at + 64);
    };

    it('write bytes, any number of them, anywhere', () => {
      for (let length = 1; length <= 20; length++) {
        const bytes = Uint8Array.from(sequence(length, 200));
        const expected = Uint8Array.from(sequence(64));
        expected.set(bytes, 3);
        assert.deepEqual(forwarded({ kind: 'write', at: 3, bytes }), expected);
      }
    });

    it('swap two runs of bytes', () => {
      for (let length = 1; length <= 16; length++) {
        const expected = Uint8Array.from(sequence(64));
        expected.set(sequence(length, 16 + 5), 5);
        expected.set(sequence(length, 5), 16 + 5);
        assert.deepEqual(forwarded({ kind: 'swap', at: 5, with: 21, length }), expected);
      }
    });

    it('add to a byte, modulo 256, one after the other', () => {
      const frame = forwarded({ kind: 'add', at: 22, value: -1 }, { kind: 'add', at: 22, value: 255 });
      assert.equal(frame[22], (22 - 1 + 255) & 0xff);
    });

    it('are refused when they cannot be', () => {
      const model = new Model();
      const make = (edit: object): (() => Forwarder) => {
        return () => new Forwarder(model.rx, model.tx, [edit as FrameEdit]);
      };
      assert.throws(
        make({ kind: 'write', at: 255, bytes: new Uint8Array(2) }),
        /edits\[0\]\.at must be .*254/,
      );
      assert.throws(make({ kind: 'write', at: 0, bytes: [1] }), /edits\[0\]\.bytes must be a Uint8Array/);
      assert.throws(make({ kind: 'swap', at: 0, with: 3, length: 6 }), /edits\[0\].*overlap/);
      assert.throws(make({ kind: 'swap', at: 0, with: 17, length: 17 }), /length/);
      assert.throws(make({ kind: 'add', at: 0, value: 256 }), /edits\[0\]\.value/);
      assert.throws(make({ kind: 'drop' }), /edits\[0\]\.kind must be 'write', 'swap' or 'add'/);
    });
  });

  it('refuses rings of different pools, and a pool in debug mode', () => {
    const model = new Model();
    const other = new TxRing({
      pool: new BufferPool(new Arena(1 << 18), { count: 8 }),
      size: 8,
      iova: IOVA,
      format: txFormat,
      bell: new TestBell(),
    });
    assert.throws(() => new Forwarder(model.rx, other), /to must be a TxRing of the pool that 'from' uses/);
    const debug = new Model({ debug: true });
    assert.throws(() => new Forwarder(debug.rx, debug.tx), /debug mode/);
    assert.throws(() => new Forwarder(model.rx, model.tx).forward(-1), { code: 'ERR_OUT_OF_RANGE' });
  });
});
