import assert from 'node:assert/strict';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import path from 'node:path';
import { busyPoll, RxLoop, type RxSource, StopFlag } from 'vfio/kit';
import { type LooseVector, looseVector } from '../../support/vector.js';

/**
 * A queue of frames with an interrupt of the kind NICs have: it fires once when a frame arrives while it is armed, and not for
 * what arrived before. The eventfd behind it is real.
 */
class Queue implements RxSource {
  readonly name = '0000:03:00.0';
  readonly loose: LooseVector = looseVector();
  waiting = 0;
  armed = false;
  arms = 0;
  /** Called whenever the loop arms the interrupt, just before. */
  beforeArming: (() => void) | undefined;

  get rxVector(): RxSource['rxVector'] {
    return this.loose.vector;
  }
  get closed(): boolean {
    return this.loose.device.closed;
  }
  get rxPending(): boolean {
    return this.waiting > 0;
  }
  armRxInterrupt(): void {
    this.beforeArming?.();
    this.armed = true;
    this.arms++;
  }
  disarmRxInterrupt(): void {
    this.armed = false;
  }

  arrive(count = 1): void {
    this.waiting += count;
    if (!this.armed) return;
    this.armed = false;
    this.loose.vector.eventfd.signal();
  }
  take(max: number): number {
    const count = Math.min(max, this.waiting);
    this.waiting -= count;
    return count;
  }
  close(): void {
    this.loose.device.closed = true;
    this.loose.vector.close();
  }
}

/** Waits until something is so, however slow the machine is; mocha's own limit ends the wait. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(1);
}

describe('kit: receive loop', () => {
  let queue: Queue;
  let stop: AbortController;

  beforeEach(() => {
    queue = new Queue();
    stop = new AbortController();
  });
  afterEach(() => {
    stop.abort();
    queue.loose.vector.close();
  });

  it('driven by interrupts sleeps between them, and does what there is to do', async () => {
    const loop = new RxLoop(queue, () => queue.take(4), { idlePolls: 0 });
    const running = loop.run(stop.signal);
    await until(() => queue.armed);
    assert.equal(loop.polls, 1);
    queue.arrive(10);
    await until(() => loop.done === 10 && queue.armed);
    assert.deepEqual([loop.done, loop.wakeups, loop.interrupts], [10, 1, 1]);
    const { polls } = loop;
    await sleep(5);
    assert.equal(loop.polls, polls, 'nothing polls while there is nothing');
    stop.abort();
    await running;
    assert.equal(queue.armed, false);
  });

  it('misses no frame that arrives between the last look and the arming', async () => {
    const loop = new RxLoop(queue, () => queue.take(4), { idlePolls: 3 });
    let left = 50;
    queue.beforeArming = () => {
      if (left-- > 0) queue.arrive();
    };
    const running = loop.run(stop.signal);
    await until(() => loop.done === 50 && queue.armed);
    assert.deepEqual([loop.done, loop.caught, loop.wakeups], [50, 50, 0]);
    queue.arrive();
    await until(() => loop.done === 51);
    assert.deepEqual([loop.done, loop.wakeups], [51, 1]);
    stop.abort();
    await running;
  });

  it('loses nothing when frames arrive at any time', async () => {
    const loop = new RxLoop(queue, () => queue.take(2), { idlePolls: 8, sliceMicroseconds: 50 });
    const running = loop.run(stop.signal);
    let sent = 0;
    for (let i = 0; i < 300; i++) {
      const count = i % 5;
      queue.arrive(count);
      sent += count;
      if (i % 3 === 0) await nextTurn();
      if (i % 50 === 0) await sleep(2);
    }
    await until(() => loop.done === sent && queue.armed);
    assert.equal(loop.done, sent);
    stop.abort();
    await running;
  });

  it('keeps polling while there is work now and then', async () => {
    const loop = new RxLoop(queue, () => queue.take(1), { idlePolls: 2 ** 31, sliceMicroseconds: 100 });
    const running = loop.run(stop.signal);
    queue.arrive(3);
    await until(() => loop.done === 3);
    queue.arrive(3);
    await until(() => loop.done === 6);
    assert.deepEqual([queue.arms, loop.wakeups], [0, 0]);
    stop.abort();
    await running;
  });

  it('lets timers and others run while it is busy', async () => {
    const loop = new RxLoop(queue, () => 1, { idlePolls: Infinity, sliceMicroseconds: 200 });
    const running = loop.run(stop.signal);
    for (let i = 0; i < 10; i++) await sleep(1);
    assert(loop.turns >= 10);
    stop.abort();
    await running;
    assert(loop.done > loop.turns);
  });

  it('lets timers and others run while frames wait that cannot go anywhere', async () => {
    queue.arrive(3);
    let room = false;
    const loop = new RxLoop(queue, () => (room ? queue.take(1) : 0));
    const running = loop.run(stop.signal);
    for (let i = 0; i < 10; i++) await sleep(1);
    assert(loop.turns >= 10);
    assert.equal(loop.wakeups, 0);
    room = true;
    await until(() => loop.done === 3 && queue.armed);
    stop.abort();
    await running;
  });

  it('ends at once when aborted before it starts, and passes on what work throws', async () => {
    stop.abort();
    await new RxLoop(queue, () => 0, { idlePolls: 0 }).run(stop.signal);
    const failing = new RxLoop(queue, () => assert.fail('broken'));
    await assert.rejects(failing.run(new AbortController().signal), /broken/);
    assert.equal(queue.armed, false);
  });

  it('says so when the NIC is closed before', async () => {
    const loop = new RxLoop(queue, () => queue.take(1), { idlePolls: 0 });
    const running = loop.run(stop.signal);
    setTimeout(() => queue.close(), 5);
    await assert.rejects(running, { code: 'ERR_VFIO_CLOSED', message: /0000:03:00\.0 is closed/ });
  });

  it('says so when the vector closes before the rest of the NIC, as it does', async () => {
    const running = new RxLoop(queue, () => queue.take(1), { idlePolls: 0 }).run(stop.signal);
    await until(() => queue.armed);
    queue.loose.vector.close();
    assert.equal(queue.closed, false);
    await assert.rejects(running, { code: 'ERR_VFIO_CLOSED' });
  });

  it('refuses options that cannot be', () => {
    const make = (options: object, work: unknown = () => 0): (() => RxLoop) => {
      return () => new RxLoop(queue, work as () => number, options);
    };
    assert.throws(make({ idlePolls: -1 }), /options\.idlePolls/);
    assert.throws(make({ sliceMicroseconds: 0 }), /options\.sliceMicroseconds must be more than 0/);
    assert.throws(make({ slice: 1 }), { code: 'ERR_UNKNOWN_OPTION' });
    assert.throws(make({}, 7), /work must be a function; got 7/);
  });
});

describe('kit: busy polling in a worker', () => {
  it('ends when another thread says so, and tells what it did', async () => {
    const flag = new StopFlag();
    const source = `
      const { parentPort, workerData } = require('node:worker_threads');
      const { busyPoll, StopFlag } = require(workerData.kit);
      let polls = 0;
      parentPort.postMessage('running');
      parentPort.postMessage(busyPoll(new StopFlag(workerData.flag), () => (polls++ % 4 === 0 ? 2 : 0)));`;
    const kit = path.join(__dirname, '../../../lib/kit/index.js');
    const worker = new Worker(source, { eval: true, workerData: { kit, flag: flag.buffer } });
    const messages: unknown[] = [];
    worker.on('message', message => {
      messages.push(message);
      if (message === 'running') setTimeout(() => flag.stop(), 10);
    });
    await new Promise(resolve => worker.once('exit', resolve));
    const { polls, idle, done } = messages[1] as ReturnType<typeof busyPoll>;
    assert(polls > 64 && polls % 64 === 0);
    assert.deepEqual([idle, done], [(polls * 3) / 4, polls / 2]);
  });

  it('does nothing when stopped before, and refuses what is no flag', () => {
    const flag = new StopFlag();
    flag.stop();
    assert.deepEqual(
      busyPoll(flag, () => assert.fail()),
      { polls: 0, idle: 0, done: 0 },
    );
    assert.throws(() => busyPoll(7 as never, () => 0), /flag must be a StopFlag/);
    assert.throws(() => new StopFlag(new ArrayBuffer(4) as never), /buffer of a StopFlag/);
    assert.equal(new StopFlag(flag.buffer).stopped, true);
  });
});
