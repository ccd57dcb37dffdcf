/** Frames from thread to thread. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  allocLane,
  Arena,
  BufferPool,
  Burst,
  type Lane,
  LaneReceiver,
  LaneSender,
  RxLoop,
  withLanes,
} from 'vfio/kit';
import { looseVector } from '../../support/vector.js';
import { sequence } from './model.js';
import { type Here, thread } from '../../support/kit-thread.js';

interface End {
  arena: ReturnType<Arena['share']>;
  part: ReturnType<BufferPool['share']>;
  lane: Lane;
  frames: number;
}

/** In a thread: sends numbered frames of changing lengths in bursts of changing sizes, as buffers come home. */
const send = ({ kit, data, say }: Here<End>) => {
  const pool = kit.BufferPool.adopt(kit.Arena.adopt(data.arena), data.part);
  const burst = new kit.Burst(pool.arena, 32);
  const lane = new kit.LaneSender(pool, data.lane, () => say('wake'));
  const { u32 } = pool.arena;
  for (let sent = 0; sent < data.frames;) {
    let count = 0;
    for (; count < 1 + (sent % 32) && sent + count < data.frames; count++) {
      const handle = pool.take();
      if (handle === 0) break;
      u32[handle >> 2] = sent + count;
      burst.set(count, handle, 60 + ((sent + count) % 1000));
    }
    const taken = lane.send(burst, count);
    for (let i = taken; i < count; i++) pool.give(burst.handle(i));
    sent += taken;
    if (taken === 0) lane.collect();
  }
  while (lane.away > 0) lane.collect();
  return pool.free;
};

describe('kit: lanes between threads', () => {
  for (const debug of [false, true]) {
    it(`bring each frame once, in order, and as many buffers home${debug ? ', in debug mode' : ''}`, async () => {
      const pool = new BufferPool(new Arena(1 << 20), { count: 96, debug });
      const [here, there] = [pool.part(40), pool.part(56)];
      const lane = allocLane(pool, 16);
      const frames = debug ? 5_000 : 30_000;
      const data = { arena: pool.arena.share(), part: there.share(), lane, frames };
      const receiving = thread({ ...data, part: here.share() }, ({ kit, data: mine }) => {
        const part = kit.BufferPool.adopt(kit.Arena.adopt(mine.arena), mine.part);
        const burst = new kit.Burst(part.arena, 32);
        const receiver = new kit.LaneReceiver(part, mine.lane);
        let next = 0;
        while (next < mine.frames) {
          const count = receiver.receive(burst, 1 + (next % 32));
          for (let i = 0; i < count; i++, next++) {
            const wrong =
              part.arena.u32[burst.handle(i) >> 2] !== next || burst.length(i) !== 60 + (next % 1000);
            if (wrong) throw new Error(`frame ${next} is another`);
            part.give(burst.handle(i));
          }
        }
        while (receiver.owed > 0) receiver.receive(burst, 0);
        return part.free;
      });
      const sending = thread(data, send);
      assert.deepEqual(await Promise.all([sending.result, receiving.result]), [56, 40]);
      pool.join(here);
      pool.join(there);
      assert.equal(new Set(sequence(96).map(() => pool.take())).size, 96);
    });
  }

  it('wake a loop that sleeps, and lose nothing that comes as it falls asleep', async () => {
    const pool = new BufferPool(new Arena(1 << 20), { count: 96 });
    const [here, there] = [pool.part(40), pool.part(56)];
    const lane = allocLane(pool, 64);
    const frames = 3_000;
    const receiver = new LaneReceiver(here, lane);
    const burst = new Burst(pool.arena, 8);
    const { vector } = looseVector();
    const source = {
      ...{ name: 'a queue', closed: false, rxPending: false, rxVector: vector },
      armRxInterrupt: () => undefined,
      disarmRxInterrupt: () => undefined,
    };
    const stop = new AbortController();
    let next = 0;
    const work = (): number => {
      const count = receiver.receive(burst);
      for (let i = 0; i < count; i++, next++) {
        assert.equal(pool.arena.u32[burst.handle(i) >> 2], next);
        here.give(burst.handle(i));
      }
      if (next === frames) stop.abort();
      return count;
    };
    const loop = new RxLoop(withLanes(source, [receiver]), work, { idlePolls: 0 });
    const running = loop.run(stop.signal);
    await sleep(1);
    const data = { arena: pool.arena.share(), part: there.share(), lane, frames };
    const sending = thread(data, send, () => vector.eventfd.signal());
    await running;
    vector.close();
    assert.equal(await sending.result, 56);
    assert.ok(loop.wakeups > 0 && loop.done === frames);
    assert.equal(here.free, 40);
  });

  it('take no more than there is room for, and owe what there is no buffer for', () => {
    const pool = new BufferPool(new Arena(1 << 20), { count: 40 });
    const [here, there] = [pool.part(4), pool.part(36)];
    const lane = allocLane(pool, 8);
    const [sender, receiver] = [new LaneSender(there, lane), new LaneReceiver(here, lane)];
    const burst = new Burst(pool.arena, 16);
    const fill = (): void => sequence(12).forEach(i => burst.set(i, there.take(), 60 + i));
    fill();
    assert.equal(receiver.pending, false);
    assert.equal(sender.send(burst, 12), 8);
    assert.equal(sender.send(burst, 4, 8), 0);
    assert.equal(receiver.pending, true);
    assert.equal(receiver.receive(burst, 6), 6);
    // Four were free.
    assert.deepEqual([receiver.owed, here.free, sender.away], [2, 0, 8]);
    assert.equal(sender.collect(), 4);
    assert.equal(sender.away, 4);
    for (let i = 0; i < 6; i++) here.give(burst.handle(i));
    assert.equal(receiver.receive(burst), 2);
    assert.deepEqual([receiver.owed, here.free, sender.collect(), sender.away], [0, 2, 4, 0]);
    // Another end goes on where the one before ended.
    const [again, too] = [new LaneSender(there, lane), new LaneReceiver(here, lane)];
    assert.deepEqual([again.away, too.pending, too.owed], [0, false, 0]);
    burst.set(0, there.take(), 99);
    assert.equal(again.send(burst, 1), 1);
    assert.deepEqual([too.receive(burst), burst.length(0)], [1, 99]);
  });

  it('refuse what cannot be', () => {
    const pool = new BufferPool(new Arena(1 << 20), { count: 8, debug: true });
    assert.throws(() => allocLane(pool, 12), /power of two; got 12/);
    assert.throws(() => allocLane(7 as never, 8), /pool must be a BufferPool/);
    assert.throws(() => new LaneSender(pool, {} as never), /what allocLane\(\) returned/);
    assert.throws(() => new LaneReceiver(pool, { size: 8, place: 2 ** 30 }), { code: 'ERR_OUT_OF_RANGE' });
    assert.throws(() => new LaneReceiver(pool, { size: 8, place: 4100 }), { code: 'ERR_OUT_OF_RANGE' });
    const lane = allocLane(pool, 8);
    const [sender, receiver] = [new LaneSender(pool, lane), new LaneReceiver(pool, lane)];
    const burst = new Burst(pool.arena, 4);
    assert.throws(() => sender.send(burst, 5), { code: 'ERR_OUT_OF_RANGE' });
    assert.throws(() => receiver.receive(burst, 5), { code: 'ERR_OUT_OF_RANGE' });
    assert.throws(() => sender.send(new Burst(new Arena(65536), 4), 1), /arena of the ring's pool/);
    const handle = pool.take();
    burst.set(0, handle, 60);
    burst.set(1, handle, 60);
    assert.throws(() => sender.send(burst, 2), { code: 'ERR_VFIO_NOT_YOURS' });
    pool.give(handle);
    assert.throws(() => sender.send(burst, 1), { code: 'ERR_VFIO_NOT_YOURS' });
  });
});
