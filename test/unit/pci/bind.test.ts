import assert from 'node:assert/strict';
import { bindDevice, bindDeviceSync, listDevices } from '../../../lib/index.js';
import { native } from '../../../lib/native.js';
import { skip } from '../../support/skip.js';

// Nothing here may move a device of the machine it runs on: binding for good is tested in the lab.
describe('binding', () => {
  /** What is to happen at the end of the process. */
  const pending = () => [
    native().liveObjects().restores,
    ...['exit', 'SIGINT', 'SIGTERM', 'SIGHUP'].map(event => process.listenerCount(event)),
  ];

  it('says that there is no such device', async () => {
    const error = { name: 'VfioError', code: 'ERR_VFIO_NO_DEVICE', address: 'ffff:ff:1f.7' };
    await assert.rejects(bindDevice('ffff:ff:1f.7'), error);
    assert.throws(() => bindDeviceSync('ffff:ff:1f.7'), error);
  });

  it('takes the name of a driver only', () => {
    for (const driver of ['', '..', '../vfio-pci', 'vfio pci', 'vfio-pci\n', 'a/b'])
      assert.throws(() => bindDeviceSync('ffff:ff:1f.7', { driver }), {
        name: 'TypeError',
        code: 'ERR_INVALID_ARG_VALUE',
        message: /^options.driver must be a driver's name; got/,
      });
  });

  it('says how to load a driver that is not there, and leaves the device alone', async function () {
    const [device] = listDevices();
    if (device === undefined) skip(this, 'this machine has no PCI bus');
    const before = pending();
    await assert.rejects(bindDevice(device.address, { driver: 'no-such-driver' }), {
      code: 'ERR_VFIO_NOT_BOUND',
      address: device.address,
      message: /the kernel has no PCI driver no-such-driver now.*modprobe no-such-driver/,
    });
    assert.deepEqual(listDevices()[0], device);
    assert.deepEqual(pending(), before);
  });

  it('has nothing to do for a device that is on the driver already', async function () {
    const device = listDevices().find(one => one.driver !== undefined);
    if (device?.driver === undefined) skip(this, 'no PCI device of this machine has a driver');
    const before = pending();
    const binding = bindDeviceSync(device.address, { driver: device.driver });
    assert.deepEqual(
      [binding.address, binding.driver, binding.previousDriver],
      [device.address, device.driver, device.driver],
    );
    binding.restoreSync();
    await binding.restore();
    await binding[Symbol.asyncDispose]();
    assert.deepEqual(
      [pending(), listDevices().find(one => one.address === device.address)],
      [before, device],
    );
  });
});
