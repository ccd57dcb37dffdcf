import assert from 'node:assert/strict';
import { devices } from '../../../lab/devices';
import { createWorker, type RunningWorker } from '../../support/processes';
import { bound } from '../support/bound';
import { labSuite } from '../support/suite';

labSuite('a vector and the end of its environment', () => {
  bound(devices.edu, devices.pairEdu);

  let listening: RunningWorker;
  let unreferenced: RunningWorker;
  let first: Promise<unknown>;
  before('start both at the same time', () => {
    listening = createWorker(({ vfio, require }, address) => {
      const { parentPort } = require('node:worker_threads') as typeof import('node:worker_threads');
      const device = vfio.Device.openSync(address);
      const [vector] = device.msi.enable(1);
      vector.on('interrupt', count => {
        parentPort?.postMessage(count);
        // Nobody listens from here on, though the vector and the device stay open.
        vector.removeAllListeners('interrupt');
      });
      setTimeout(() => vector.trigger(), 100).unref();
    }, devices.edu);
    first = listening.message();
    unreferenced = createWorker(({ vfio }, address) => {
      const device = vfio.Device.openSync(address);
      const [vector] = device.msi.enable(1);
      vector.on('interrupt', () => undefined);
      if (vector.ref().unref() !== vector) throw new Error('unref() returns the vector');
      void vector.interrupts().next();
    }, devices.pairEdu);
  });

  it('keeps it alive exactly while somebody listens', async () => {
    assert.equal(await first, 1, 'the listener kept it alive until then');
    assert.equal(await listening.ended, 0);
  });

  it('does not keep it alive after unref()', async () => {
    assert.equal(await unreferenced.ended, 0);
  });
});
