import assert from 'node:assert/strict';
import { BufferPool, Burst, TxRing, TxSender } from 'vfio/kit';
import { IOVA, legacyTx, Model, onBothMemories, sequence, TestBell } from './model.js';

/** A descriptor that is no frame, by its DTYP and DEXT. */
const CONTEXT = 0x2800_0000n;
const DATA = 0x2310_0000n | (3n << 40n);
const DONE = 1n << 32n;

onBothMemories('kit: other ways to send', () => {
  const setUp = (size = 16, count = 64, debug = false) => {
    const { arena } = new Model();
    const pool = new BufferPool(arena, { count, debug });
    const bell = new TestBell();
    bell.value = 0;
    const ring = new TxRing({ pool, size, iova: IOVA, format: legacyTx, bell });
    const one = new TxSender(ring, { command: DATA, context: [0x11n, CONTEXT] });
    const other = new TxSender(ring, { command: DATA, context: [0x22n, CONTEXT | 1n] });
    const burst = new Burst(arena, 8);
    const send = (by: { burst: TxSender['burst'] }, ...values: number[]): number => {
      values.forEach((value, i) => {
        const handle = pool.take();
        arena.u8.fill(value, handle, handle + 60);
        burst.set(i, handle, 60);
      });
      const taken = by.burst(burst, values.length);
      for (let i = taken; i < values.length; i++) pool.give(burst.handle(i));
      return taken;
    };
    let head = 0;
    /** What a device that keeps contexts sent: `context:command:first byte` of each frame. */
    let context = 'none';
    const device = (max = Infinity): string[] => {
      const sent: string[] = [];
      for (let n = 0; n < max && head !== bell.value; n++, head = (head + 1) % size) {
        const at = (ring.offset >> 3) + 2 * head;
        const [first = 0n, second = 0n] = arena.u64.subarray(at, at + 2);
        assert.equal(second & DONE, 0n);
        if ((second & ~1n) === CONTEXT) context = first.toString(16);
        else {
          const command = second & ~0xffffn & ~legacyTx.report;
          const kind = command === DATA ? context : 'plain';
          assert.equal(second & 0xffffn, 60n);
          assert.equal(command, kind === 'plain' ? legacyTx.command : DATA);
          sent.push(`${kind}:${arena.u8[Number(first - IOVA)] ?? -1}`);
        }
        if ((second & legacyTx.report) !== 0n) arena.u64[at + 1] = second | DONE;
      }
      return sent;
    };
    return { pool, ring, bell, one, other, burst, send, device };
  };

  it('puts its context into the ring once, and again after another', () => {
    const { ring, one, other, send, device } = setUp();
    assert.equal(send(one, 1, 2), 2);
    assert.equal(send(ring, 3), 1);
    assert.equal(send(one, 4), 1);
    assert.equal(ring.inFlight, 5);
    assert.deepEqual(device(), ['11:1', '11:2', 'plain:3', '11:4']);
    send(other, 5);
    send(one, 6);
    assert.deepEqual(device(), ['22:5', '11:6']);
    assert.deepEqual([ring.frames, ring.bytes], [6, 360]);
  });

  it('sends in order around the ring, and loses no buffer', () => {
    for (const size of [8, 16, 64]) {
      const { pool, ring, one, other, send, device } = setUp(size);
      const seen: string[] = [];
      const wanted: string[] = [];
      for (let n = 0; n < 300; n++) {
        const [by, name] =
          (
            [
              [one, '11'],
              [other, '22'],
              [ring, 'plain'],
            ] as const
          )[(n % 7) % 3] ?? assert.fail();
        while (send(by, n & 0xff) === 0) seen.push(...device());
        wanted.push(`${name}:${n & 0xff}`);
        if (n % 3 === 0) seen.push(...device(2));
        assert.equal(pool.free + ring.inFlight, pool.count);
      }
      assert.deepEqual([...seen, ...device()], wanted);
      ring.close();
      assert.equal(pool.free, pool.count);
    }
  });

  it('takes no frame while there is no room for its context', () => {
    const { ring, pool, one, send, device } = setUp(8, 64);
    assert.equal(send(ring, ...sequence(6)), 6);
    assert.equal(send(one, 7), 0, 'room for the context alone');
    assert.equal(ring.inFlight, 7);
    assert.equal(send(one, 7), 0);
    assert.equal(pool.free + ring.inFlight, 64);
    assert.deepEqual(
      device(),
      sequence(6).map(i => `plain:${i}`),
    );
    assert.equal(send(one, 7), 1);
    assert.deepEqual(device(), ['11:7']);

    const few = setUp(8, 1);
    assert.equal(few.send(few.one, 1), 0, 'no buffer for the context');
    assert.equal(few.pool.free, 1);
    assert.deepEqual([few.ring.inFlight, few.bell.rings], [0, 0]);
    assert.equal(few.one.burst(few.burst, 0), 0);
    assert.equal(few.ring.inFlight, 0, 'nothing to send needs no context');
  });

  it('does without a context', () => {
    const { ring, send, device } = setUp();
    send(new TxSender(ring, { command: DATA }), 1);
    assert.deepEqual(device(), ['none:1']);
  });

  it('keeps the books of a debug pool', () => {
    const { pool, ring, one, burst, send, device } = setUp(8, 64, true);
    for (let n = 0; n < 40; n++) {
      assert.equal(send(n % 2 === 0 ? one : ring, n), 1);
      device();
    }
    const handle = pool.take();
    burst.set(0, handle, 60);
    assert.equal(one.burst(burst, 1), 1);
    assert.throws(() => one.burst(burst, 1), { code: 'ERR_VFIO_NOT_YOURS' });
    assert.throws(() => pool.give(handle), { code: 'ERR_VFIO_NOT_YOURS' });
    ring.close();
    assert.equal(pool.free, pool.count);
  });

  it('refuses what cannot be', () => {
    const { ring, one, burst } = setUp();
    assert.throws(() => one.burst(burst, 9), /integer from 0 to 8/);
    assert.throws(() => one.burst(burst, 1, -1), { code: 'ERR_OUT_OF_RANGE' });
    assert.throws(() => new TxSender(undefined as unknown as TxRing, { command: 0n }), { name: 'TypeError' });
    assert.throws(() => new TxSender(ring, { command: 1n << 64n }), /options\.command must be .*2\^64/);
    assert.throws(() => new TxSender(ring, { command: 0n, context: [0n, -1n] }), /options\.context\[1\]/);
    ring.close();
    assert.throws(() => one.burst(burst, 0), { code: 'ERR_VFIO_CLOSED' });
  });
});
