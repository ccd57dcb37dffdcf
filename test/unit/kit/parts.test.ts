/** What several threads share: arenas, parts of a pool, rings. */
import assert from 'node:assert/strict';
import { Arena, BufferPool, Burst, Forwarder, RxRing, TxRing } from 'vfio/kit';
import { Model, onBothMemories, plainMemory, sequence } from './model.js';
import { thread } from '../../support/kit-thread.js';

describe('kit: an arena in several threads', () => {
  it('is one object in each, and none gets what another has', async () => {
    const arena = new Arena(1 << 20);
    const shared = arena.share();
    assert.equal(Arena.adopt(structuredClone(shared)), arena);
    const work = ({ kit, data }: { kit: typeof import('vfio/kit'); data: typeof shared }) => {
      const mine = kit.Arena.adopt(data);
      if (mine !== kit.Arena.adopt(data)) throw new Error('another arena');
      return Array.from({ length: 1000 }, () => mine.alloc(64));
    };
    const others = [thread(shared, work), thread(shared, work)];
    const ours = sequence(1000).map(() => arena.alloc(64));
    const all = [ours, ...((await Promise.all(others.map(({ result }) => result))) as number[][])].flat();
    assert.equal(new Set(all).size, 3000);
    assert.ok(arena.available <= (1 << 20) - 64 * 3000);
  });

  it('refuses what is none', () => {
    for (const wrong of [undefined, {}, { arena: 'x' }, { arena: 7, memory: {} }]) {
      assert.throws(() => Arena.adopt(wrong as never), { code: 'ERR_INVALID_ARG_TYPE' });
    }
    assert.throws(() => Arena.adopt({ arena: 'x', memory: {} }), /shared must be what share\(\)/);
  });
});

describe('kit: parts of a pool', () => {
  for (const debug of [false, true]) {
    it(`have buffers of their own, that go over and back${debug ? ', in debug mode' : ''}`, () => {
      const pool = new BufferPool(new Arena(1 << 20), { count: 32, debug });
      const [a, b] = [pool.part(8), pool.part(16)];
      assert.deepEqual([pool.free, a.free, b.free], [8, 8, 16]);
      const taken = [pool, a, b].flatMap(part => sequence(part.free).map(() => part.take()));
      assert.equal(new Set(taken).size, 32);
      for (const handle of taken) pool.indexOf(handle);
      assert.equal(a.take(), 0);
      // Any buffer may end up anywhere.
      for (const handle of taken) b.give(handle);
      assert.deepEqual([pool.free, a.free, b.free], [0, 0, 32]);
      assert.throws(() => b.give(taken[0] ?? 0), { code: 'ERR_VFIO_NOT_YOURS' });
      assert.equal(pool.join(b), 32);
      assert.deepEqual([pool.free, b.free], [32, 0]);
    });
  }

  it('are refused when there are too few buffers, and joined only with their own', () => {
    const arena = new Arena(1 << 20);
    const pool = new BufferPool(arena, { count: 8 });
    assert.throws(() => pool.part(9), { code: 'ERR_OUT_OF_RANGE' });
    assert.throws(() => pool.part(0), { code: 'ERR_OUT_OF_RANGE' });
    assert.throws(() => pool.join(new BufferPool(arena, { count: 8 })), /another part of the same pool/);
    assert.throws(() => pool.join(pool), /another part of the same pool/);
    assert.throws(() => BufferPool.adopt(arena, {} as never), /what share\(\) of a BufferPool returned/);
  });

  it('are used by threads at the same time, each its own', async () => {
    const pool = new BufferPool(new Arena(1 << 20), { count: 64, debug: true });
    const parts = sequence(3).map(() => pool.part(16));
    const threads = parts.map((part, index) =>
      thread({ arena: pool.arena.share(), part: part.share(), index }, ({ kit, data }) => {
        const mine = kit.BufferPool.adopt(kit.Arena.adopt(data.arena), data.part);
        const { u8 } = mine.arena;
        const held: number[] = [];
        for (let n = 0; n < 20_000; n++) {
          const handle = n % 3 === 2 ? 0 : mine.take();
          if (handle === 0) {
            const back = held.pop() ?? 0;
            if (u8[back] !== data.index) throw new Error('somebody else has it');
            mine.give(back);
          } else {
            u8[handle] = data.index;
            held.push(handle);
          }
        }
        for (const handle of held) mine.give(handle);
        return mine.free;
      }),
    );
    assert.deepEqual(await Promise.all(threads.map(({ result }) => result)), [16, 16, 16]);
    for (const part of parts) pool.join(part);
    assert.equal(pool.free, 64);
    assert.equal(new Set(sequence(64).map(() => pool.take())).size, 64);
  });
});

onBothMemories('kit: adopted rings', () => {
  it('go on where the others were, count for both, and leave the buffers to who made them', () => {
    const model = new Model({ debug: true });
    const { pool } = model;
    const burst = new Burst(model.arena, 8);
    for (let i = 0; i < 3; i++) model.deliver(i);
    assert.equal(model.rx.burst(burst, 2), 2);
    assert.equal(model.tx.burst(burst, 2), 2);

    const rx = RxRing.adopt(structuredClone(model.rx.share()), { pool, bell: model.rxBell });
    const tx = TxRing.adopt(structuredClone(model.tx.share()), { pool, bell: model.txBell });
    assert.deepEqual(
      [rx.size, rx.iova, rx.firstTail, tx.size, tx.iova, tx.minFrame, tx.maxFrame],
      [8, model.rx.iova, 7, 8, model.tx.iova, 17, 1518],
    );
    assert.deepEqual([rx.pending, tx.pending], [true, true]);
    model.deliver(3);
    assert.equal(rx.burst(burst), 2);
    assert.equal(tx.burst(burst, 2), 2);
    assert.deepEqual(model.send(), [0, 1, 2, 3]);
    assert.deepEqual([model.rx.frames, model.rx.bytes, model.tx.frames, model.tx.bytes], [4, 240, 4, 240]);
    rx.close();
    tx.close();
    assert.throws(() => rx.burst(burst), { code: 'ERR_VFIO_CLOSED' });
    assert.throws(() => tx.burst(burst, 0), { code: 'ERR_VFIO_CLOSED' });
    model.deliver(4);
    assert.equal(model.rx.burst(burst), 1);
    assert.equal(model.tx.burst(burst, 1), 1);
    assert.deepEqual(model.send(), [4]);
    model.rx.close();
    model.tx.close();
    assert.equal(pool.free, pool.count);
  });

  it('refuse what is none', () => {
    const model = new Model();
    const parts = { pool: model.pool, bell: model.rxBell };
    assert.throws(
      () => RxRing.adopt(model.tx.share() as never, parts),
      /what share\(\) of an RxRing returned/,
    );
    assert.throws(
      () => TxRing.adopt(model.rx.share() as never, parts),
      /what share\(\) of a TxRing returned/,
    );
  });
});

describe('kit: a forwarder over adopted rings', () => {
  it('is counted by the rings of the thread that made them', () => {
    plainMemory.used = false;
    const model = new Model();
    const { pool } = model;
    const rx = RxRing.adopt(model.rx.share(), { pool, bell: model.rxBell });
    const tx = TxRing.adopt(model.tx.share(), { pool, bell: model.txBell });
    const forwarders = [new Forwarder(rx, tx), new Forwarder(model.rx, model.tx)];
    for (let i = 0; i < 6; i++) {
      model.deliver(i);
      assert.equal(forwarders[i % 2]?.forward(8), 1);
    }
    assert.deepEqual(model.send(), sequence(6));
    for (const ring of [rx, tx, model.rx, model.tx]) assert.deepEqual([ring.frames, ring.bytes], [6, 360]);
  });
});
