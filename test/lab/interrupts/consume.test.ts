import assert from 'node:assert/strict';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { IrqVector } from 'vfio';
import { devices } from '../../../lab/devices';
import { opened } from '../support/bound';
import { labSuite } from '../support/suite';

labSuite('ways to hear of interrupts', () => {
  const edu = opened(devices.edu);
  let vector: IrqVector;
  beforeEach(() => {
    [vector] = edu.device.msi.enable(1);
  });
  afterEach(() => edu.device.msi.disable());
  const trigger = (times: number): void => {
    for (let i = 0; i < times; i++) vector.trigger();
  };

  it('events: what comes before the loop gets to it adds up', async () => {
    trigger(3);
    const [count] = (await once(vector, 'interrupt')) as [number];
    assert.deepEqual([count, vector.total], [3, 3]);
    trigger(2);
    assert.deepEqual(await once(vector, 'interrupt'), [2]);
    assert.equal(vector.total, 5);
  });

  it('events: several listeners hear the same, and none after off()', async () => {
    const heard: string[] = [];
    const first = (count: number): number => heard.push(`first ${count}`);
    vector.on('interrupt', first);
    vector.once('interrupt', count => heard.push(`once ${count}`));
    trigger(2);
    await vector.wait({ timeoutMs: 20_000 });
    trigger(1);
    await vector.wait({ timeoutMs: 20_000 });
    vector.off('interrupt', first);
    trigger(1);
    await vector.wait({ timeoutMs: 20_000 });
    assert.deepEqual(heard, ['first 2', 'once 2', 'first 1']);
  });

  it('wait: one at a time, and what came before it counts', async () => {
    trigger(4);
    assert.equal(await vector.wait(), 4);
    const [a, b] = [vector.wait(), vector.wait()];
    trigger(1);
    assert.deepEqual(await Promise.all([a, b]), [1, 1], 'both waited for the same one');
  });

  it('wait: an interrupt that is there wins over the time that ran out', async () => {
    trigger(1);
    assert.equal(await vector.wait({ timeoutMs: 0 }), 1);
    const waiting = vector.wait({ timeoutMs: 1 });
    trigger(2);
    // The loop is kept busy, and gets to the timer before it gets to the eventfd.
    for (const end = performance.now() + 20; performance.now() < end;);
    assert.equal(await waiting, 2);
  });

  it('wait: time-out, AbortSignal, and the end of the vector', async () => {
    const start = performance.now();
    await assert.rejects(vector.wait({ timeoutMs: 30 }), {
      name: 'VfioError',
      code: 'ERR_VFIO_TIMEOUT',
      message: /No interrupt on MSI vector 0 of 0000:04:00\.0 within 30 ms/,
    });
    assert.ok(performance.now() - start >= 29);
    const aborted = { name: 'AbortError', code: 'ABORT_ERR' };
    await assert.rejects(vector.wait({ signal: AbortSignal.abort() }), aborted);
    const controller = new AbortController();
    const waiting = vector.wait({ signal: controller.signal });
    controller.abort(new Error('enough'));
    await assert.rejects(
      waiting,
      (error: Error) => error.name === 'AbortError' && String(error.cause).includes('enough'),
    );
    const ended = vector.wait();
    vector.close();
    await assert.rejects(ended, {
      code: 'ERR_VFIO_CLOSED',
      message: /MSI vector 0 of 0000:04:00\.0 is closed/,
    });
  });

  it('iteration: counts add up while the body runs, and the end of the vector ends it', async () => {
    const counts: number[] = [];
    trigger(1);
    for await (const count of vector) {
      counts.push(count);
      if (counts.length === 1) {
        trigger(2);
        await sleep(20);
        trigger(3);
        await sleep(20);
      } else vector.close();
    }
    assert.deepEqual(counts, [1, 5]);
    assert.equal(vector.total, 6);
  });

  it('iteration: break ends it, and the next one starts afresh', async () => {
    trigger(1);
    for await (const count of vector) {
      assert.equal(count, 1);
      break;
    }
    assert.equal(vector.listenerCount('interrupt'), 0);
    trigger(2);
    for await (const count of vector.interrupts()) {
      assert.equal(count, 2);
      break;
    }
  });

  it('iteration: an AbortSignal ends it in an AbortError', async () => {
    const controller = new AbortController();
    let seen = 0;
    trigger(1);
    await assert.rejects(
      async () => {
        for await (const count of vector.interrupts({ signal: controller.signal })) {
          seen += count;
          controller.abort();
        }
      },
      { name: 'AbortError' },
    );
    assert.equal(seen, 1);
  });

  it('without counts each event means at least one', async () => {
    edu.device.msi.disable();
    [vector] = edu.device.msi.enable({ count: 1, counts: false });
    trigger(5);
    assert.deepEqual(await once(vector, 'interrupt'), [1]);
    trigger(1);
    assert.deepEqual(await once(vector, 'interrupt'), [1]);
    assert.equal(vector.total, 2);
  });
});
