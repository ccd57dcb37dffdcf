import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import type { IrqVector } from 'vfio';
import { devices } from '../../../lab/devices';
import { createWorker } from '../../support/processes';
import { bound, opened } from '../support/bound';
import { labSuite } from '../support/suite';

labSuite('waiting for an interrupt with the whole thread', () => {
  const edu = opened(devices.edu);
  bound(devices.pairEdu);
  let vector: IrqVector;
  beforeEach(() => {
    [vector] = edu.device.msi.enable(1);
  });
  afterEach(() => vector.close());

  it('returns how many there were, and 0 when the time runs out', () => {
    assert.equal(vector.waitSync(0), 0);
    const start = performance.now();
    assert.equal(vector.waitSync(30), 0);
    assert.ok(performance.now() - start >= 29);
    vector.trigger();
    vector.trigger();
    assert.equal(vector.waitSync(), 2);
    assert.equal(vector.waitSync(0), 0);
    assert.equal(vector.total, 2);
  });

  it('takes what the loop would have told a listener', async () => {
    let heard = 0;
    vector.on('interrupt', count => (heard += count));
    vector.trigger();
    assert.equal(vector.waitSync(1000), 1);
    await new Promise(resolve => setTimeout(resolve, 20));
    assert.equal(heard, 0);
    vector.trigger();
    await vector.wait({ timeoutMs: 20_000 });
    assert.deepEqual([heard, vector.total], [1, 2]);
  });

  it('takes time-outs that a timer takes', () => {
    for (const timeout of [-1, 1.5, NaN, 2 ** 31, Infinity]) {
      assert.throws(() => vector.waitSync(timeout), { code: 'ERR_OUT_OF_RANGE', message: /^timeoutMs/ });
    }
    assert.throws(() => vector.waitSync('1' as unknown as number), { code: 'ERR_INVALID_ARG_TYPE' });
  });

  it('blocks a worker, not this thread, and its end does not hang on it', async () => {
    const { worker, message, ended } = createWorker(({ vfio, require }, address) => {
      const { parentPort } = require('node:worker_threads') as typeof import('node:worker_threads');
      const device = vfio.Device.openSync(address);
      const [own] = device.msi.enable(1);
      parentPort?.postMessage(own.fd);
      parentPort?.postMessage(own.waitSync());
      own.waitSync();
    }, devices.pairEdu);
    const fd = (await message()) as number;
    const answer = message();
    // An eventfd of this process: whoever has its number can signal it.
    fs.writeSync(fd, new BigUint64Array([3n]));
    assert.equal(await answer, 3);
    await worker.terminate();
    assert.equal(await ended, 1);
  });
});
