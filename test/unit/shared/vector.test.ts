import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { adopt, type IrqVector } from '../../../lib/index.js';
import { Adopter } from '../../support/adopter.js';
import { createWorker } from '../../support/processes.js';
import { type LooseVector, looseVector, turns } from '../../support/vector.js';

const closed = { code: 'ERR_VFIO_CLOSED', message: /^MSI-X vector 3 of 0000:03:00\.0 is closed/ };

describe('a vector that is shared', () => {
  let loose: LooseVector;
  let vector: IrqVector;
  const signal = (count = 1): void => vector.eventfd.signal(count);

  beforeEach(() => {
    loose = looseVector({ index: 3 });
    ({ vector } = loose);
  });
  afterEach(() => vector.close());

  it('is waited for in the worker, by every way', async () => {
    await using worker = await Adopter.start({ vector: vector.share() });
    const waiting = worker.run(({ vector }) => vector.wait());
    signal(2);
    assert.equal(await waiting, 2);
    signal(3);
    assert.equal(await worker.run(({ vector }) => vector.waitSync()), 3);
    const iterated = worker.run(async ({ vector }) => {
      for await (const count of vector) return count;
      return 0;
    });
    signal(4);
    assert.equal(await iterated, 4);
    const heard = worker.run(
      ({ vector }) =>
        new Promise(resolve => vector.once('interrupt', count => resolve([count, vector.total]))),
    );
    signal(5);
    assert.deepEqual(await heard, [5, 14]);
    const facts = await worker.run(({ vector, vfio }) => [
      vector.index,
      vector instanceof vfio.IrqVector,
      vector.closed,
      vector.fd > 0,
    ]);
    assert.deepEqual(facts, [3, true, false, true]);
    await assert.rejects(
      worker.run(({ vector }) => vector.trigger()),
      { code: 'ERR_VFIO_UNSUPPORTED', message: /Only the thread that opened 0000:03:00\.0/ },
    );
  });

  it('is refused to its owner meanwhile, who is told who has it', async () => {
    await using worker = await Adopter.start({ vector: vector.share() });
    const busy = {
      code: 'ERR_VFIO_BUSY',
      message: new RegExp(
        `^MSI-X vector 3 of 0000:03:00\\.0 is with thread ${worker.threadId}, which adopted it`,
      ),
    };
    assert.equal(vector.adoptedBy, worker.threadId);
    assert.throws(() => vector.on('interrupt', () => undefined), busy);
    assert.equal(vector.listenerCount('interrupt'), 0);
    assert.throws(() => vector.waitSync(0), busy);
    assert.throws(() => vector.interrupts(), busy);
    await assert.rejects(vector.wait({ timeoutMs: 1 }), busy);
    signal();
    assert.equal(await worker.run(({ vector }) => vector.wait()), 1, 'nobody took it');
  });

  it('is refused to a second worker, and to any while its owner waits', async () => {
    const token = vector.share();
    const waiting = vector.wait();
    await assert.rejects(Adopter.start({ vector: token }), {
      code: 'ERR_VFIO_BUSY',
      message: /^Thread 0 is waiting for that vector/,
    });
    signal();
    await waiting;
    await using one = await Adopter.start({ vector: token });
    await assert.rejects(Adopter.start({ vector: token }), {
      code: 'ERR_VFIO_BUSY',
      message: new RegExp(`^Thread ${one.threadId} is waiting`),
    });
  });

  it('that its owner was listening to before it was shared is still the owner’s', async () => {
    const counts: number[] = [];
    const listener = (count: number): unknown => counts.push(count);
    vector.on('interrupt', listener);
    const token = vector.share();
    await assert.rejects(Adopter.start({ vector: token }), { code: 'ERR_VFIO_BUSY' });
    signal();
    await turns();
    assert.deepEqual(counts, [1]);
    vector.off('interrupt', listener);
    await using worker = await Adopter.start({ vector: token });
    assert.equal(vector.adoptedBy, worker.threadId);
  });

  it('is back when it is closed there, with what nobody took', async () => {
    await using worker = await Adopter.start({ vector: vector.share() });
    await worker.run(({ vector }) => vector.on('interrupt', () => undefined).total);
    await worker.run(({ vector }) => vector.close());
    assert.equal(vector.adoptedBy, undefined);
    signal(7);
    assert.equal(await vector.wait(), 7);
    await assert.rejects(
      worker.run(({ vector }) => vector.wait()),
      closed,
    );
    await worker.adopt({ vector: vector.share() });
    signal();
    assert.equal(await worker.run(({ vector }) => vector.wait()), 1);
  });

  it('is back when its worker is terminated while events flow, in every way of waiting', async () => {
    for (const order of [
      ({ vector }: { vector: IrqVector }) => {
        vector.on('interrupt', () => vector.eventfd.signal());
      },
      ({ vector }: { vector: IrqVector }) => {
        void (async () => {
          for await (const count of vector) vector.eventfd.signal(count);
        })();
      },
      ({ vector }: { vector: IrqVector }) => {
        setImmediate(() => {
          for (;;) vector.eventfd.signal(vector.waitSync());
        });
      },
    ]) {
      const worker = await Adopter.start({ vector: vector.share() });
      await worker.run(order);
      signal();
      await pause(20);
      await worker.worker.terminate();
      assert.equal(vector.adoptedBy, undefined);
      vector.waitSync(0);
      signal(2);
      assert.equal(await vector.wait(), 2);
    }
  });

  it('ends in the worker when its owner closes it: waits, iterations, listeners and waitSync()', async () => {
    const waits: [string, (given: { vector: IrqVector }) => unknown, RegExp | string][] = [
      ['wait', ({ vector }) => vector.wait(), closed.message],
      ['waitSync', ({ vector }) => vector.waitSync(), closed.message],
      [
        'iteration',
        async ({ vector }) => {
          let events = 0;
          for await (const count of vector) events += count;
          return `${events} events`;
        },
        '0 events',
      ],
    ];
    for (const [name, order, end] of waits) {
      const own = looseVector({ index: 3 }).vector;
      await using worker = await Adopter.start({ vector: own.share() });
      const ending = worker.run(order).catch((error: unknown) => (error as Error).message);
      await pause(20);
      own.close();
      const said = String(await ending);
      if (typeof end === 'string') assert.equal(said, end, name);
      else assert.match(said, end, name);
      assert.equal(await worker.run(({ vector }) => vector.closed), true, name);
    }
  });

  it('lets a worker that listened to it end when it is over', async () => {
    const { message, ended } = createWorker(({ vfio, require }, token) => {
      const { parentPort } = require('node:worker_threads') as typeof import('node:worker_threads');
      vfio.adopt(token).on('interrupt', () => parentPort?.postMessage('heard'));
    }, vector.share());
    signal();
    await message();
    vector.close();
    assert.equal(await ended, 0);
  });

  it('can be adopted in its own thread', async () => {
    const here = adopt(vector.share());
    assert.throws(() => vector.waitSync(0), { code: 'ERR_VFIO_BUSY' });
    const waiting = here.wait();
    signal(3);
    assert.equal(await waiting, 3);
    const ending = here.wait();
    vector.close();
    await assert.rejects(ending, closed);
    assert.equal(here.closed, true);
  });
});
