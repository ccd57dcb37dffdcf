import assert from 'node:assert/strict';
import { devices } from '../../../lab/devices';
import { createWorker } from '../../support/processes';
import { bound } from '../support/bound';
import { labSuite } from '../support/suite';

labSuite('a vector and the end of its environment', function () {
  this.timeout(60_000);
  bound(devices.edu, devices.pairEdu);

  it('keeps it alive exactly while somebody listens', async () => {
    const { message, ended } = createWorker(({ vfio, require }, address) => {
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
    assert.equal(await message(), 1, 'the listener kept it alive until then');
    assert.equal(await ended, 0);
  });

  it('does not keep it alive after unref()', async () => {
    const { ended } = createWorker(({ vfio }, address) => {
      const device = vfio.Device.openSync(address);
      const [vector] = device.msi.enable(1);
      vector.on('interrupt', () => undefined);
      if (vector.ref().unref() !== vector) throw new Error('unref() returns the vector');
      void vector.interrupts().next();
    }, devices.pairEdu);
    assert.equal(await ended, 0);
  });
});
