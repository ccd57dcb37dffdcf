import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { bindDevice, bindDeviceSync, Device } from 'vfio';
import { devices } from '../../../lab/devices';
import { held } from '../support/held';
import { labSuite } from '../support/suite';
import { driverOf } from '../support/sysfs';

const override = (address: string): string =>
  fs.readFileSync(`/sys/bus/pci/devices/${address}/driver_override`, 'utf8').trim();

labSuite('binding to vfio-pci, and giving back', () => {
  it('{ bind: true } binds a device and gives it back when it is closed', async () => {
    const device = await Device.open(devices.nvme, { bind: true });
    assert.equal(driverOf(devices.nvme), 'vfio-pci');
    assert.equal(fs.existsSync('/dev/nvme0n1'), false);
    await device.close();
    assert.equal(driverOf(devices.nvme), 'nvme');
    assert.equal(override(devices.nvme), '(null)');
  });

  it('… also by leaving the scope, by an exception, and the blocking way', async () => {
    const before = held();
    await assert.rejects(async () => {
      await using device = await Device.open(devices.edu, { bind: true });
      device.msi.enable(1);
      throw new Error('in the middle');
    }, /in the middle/);
    assert.equal(driverOf(devices.edu), undefined);
    assert.throws(() => {
      using device = Device.openSync(devices.edu, { bind: true });
      device.dma.alloc(4096);
      throw new Error('in the middle');
    }, /in the middle/);
    assert.equal(driverOf(devices.edu), undefined);
    assert.deepEqual(held(), before);
  });

  it('{ bind: true } leaves a device where it is that was on vfio-pci', async () => {
    await using binding = await bindDevice(devices.edu);
    assert.deepEqual([binding.driver, binding.previousDriver], ['vfio-pci', undefined]);
    await Device.open(devices.edu, { bind: true }).then(device => device.close());
    assert.equal(driverOf(devices.edu), 'vfio-pci');
    await using again = await bindDevice(devices.edu);
    assert.equal(again.previousDriver, 'vfio-pci');
    await again.restore();
    assert.equal(driverOf(devices.edu), 'vfio-pci', 'not its to give back');
    await binding.restore();
    assert.equal(driverOf(devices.edu), undefined);
    await binding.restore();
  });

  it('keeps what somebody else had set as driver_override', () => {
    const file = `/sys/bus/pci/devices/${devices.edu}/driver_override`;
    fs.writeFileSync(file, 'somebody');
    try {
      using binding = bindDeviceSync(devices.edu);
      assert.equal(override(devices.edu), 'vfio-pci');
      binding.restoreSync();
      assert.equal(override(devices.edu), 'somebody');
    } finally {
      fs.writeFileSync(file, '\n');
    }
  });

  it('binds to another driver than vfio-pci when told to', () => {
    using binding = bindDeviceSync(devices.pairTestdev, { driver: 'iosf_mbi_pci' });
    assert.equal(binding.driver, 'iosf_mbi_pci');
    assert.equal(driverOf(devices.pairTestdev), 'iosf_mbi_pci');
  });

  it('puts the device back when the driver does not take it', async () => {
    const expected = { code: 'ERR_VFIO_NOT_BOUND', message: /Binding 0000:05:00\.0 to virtio-pci failed/ };
    await assert.rejects(bindDevice(devices.testdev, { driver: 'virtio-pci' }), expected);
    assert.equal(driverOf(devices.testdev), undefined);
    assert.equal(override(devices.testdev), '(null)');
  });

  it('does not wait for ever for a device that is open here, but says so', async () => {
    const binding = await bindDevice(devices.edu);
    const device = await Device.open(devices.edu);
    const open = {
      code: 'ERR_VFIO_BUSY',
      message: /0000:04:00\.0 is open and cannot be given back to no driver/,
    };
    assert.throws(() => binding.restoreSync(), open);
    await assert.rejects(binding.restore(), open);
    await device.close();
    await binding.restore();
    assert.equal(driverOf(devices.edu), undefined);
  });

  it('says what is missing: the driver, the device', () => {
    assert.throws(() => bindDeviceSync(devices.edu, { driver: 'no_such_driver' }), {
      code: 'ERR_VFIO_NOT_BOUND',
      message: /no PCI driver no_such_driver now.*modprobe no_such_driver/,
    });
    assert.throws(() => bindDeviceSync('0000:04:00.5'), { code: 'ERR_VFIO_NO_DEVICE' });
    assert.equal(driverOf(devices.edu), undefined);
  });
});
