import assert from 'node:assert/strict';
import { devices } from '../../../lab/devices';
import { opened } from '../support/bound';
import { held } from '../support/held';
import { labSuite } from '../support/suite';

labSuite('many vectors at once', () => {
  const nvme = opened(devices.nvme);
  const count = 65;

  it('fire together and are heard together, each with its own count', async () => {
    const before = held();
    const { msix } = nvme.device;
    const vectors = msix.enable(count);
    assert.equal(held().files['anon_inode:[eventfd]'], (before.files['anon_inode:[eventfd]'] ?? 0) + count);
    const heard = new Map<number, number>();
    const all = new Promise<void>(resolve => {
      for (const vector of vectors) {
        vector.on('interrupt', n => {
          heard.set(vector.index, (heard.get(vector.index) ?? 0) + n);
          if (heard.size === count) resolve();
        });
      }
    });
    for (const vector of vectors) for (let i = 0; i <= vector.index % 3; i++) vector.trigger();
    await all;
    for (let i = 0; i < count; i++) assert.equal(heard.get(i), 1 + (i % 3), `vector ${i}`);
    msix.disable();
    assert.deepEqual(held(), before);
  });

  it('one listener may close all the others while they are about to be told', async () => {
    const vectors = nvme.device.msix.enable(count);
    let heard = 0;
    await new Promise<void>(resolve => {
      for (const vector of vectors) {
        vector.on('interrupt', () => {
          heard++;
          nvme.device.msix.disable();
          setImmediate(resolve);
        });
      }
      for (const vector of vectors) vector.trigger();
    });
    assert.equal(heard, 1);
    assert.ok(vectors.every(vector => vector.closed));
  });

  it('an exception in one listener does not cost the others theirs', async () => {
    const vectors = nvme.device.msix.enable(8);
    const listeners = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    const uncaught = new Promise(resolve => process.once('uncaughtException', resolve));
    try {
      let heard = 0;
      const others = new Promise<void>(resolve => {
        for (const [i, vector] of vectors.entries()) {
          vector.on('interrupt', () => {
            if (i === 3) throw new Error('in a listener');
            if (++heard === 7) resolve();
          });
          vector.trigger();
        }
      });
      await others;
      assert.match(String(await uncaught), /in a listener/);
    } finally {
      for (const listener of listeners) process.on('uncaughtException', listener);
      nvme.device.msix.disable();
    }
  });
});
