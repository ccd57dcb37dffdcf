import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { doctor, findDevice, listDevices } from 'vfio';
import { devices } from '../../../lab/devices';
import { bound } from '../support/bound';
import { labSuite } from '../support/suite';
import { driverOf, groupOf } from '../support/sysfs';

labSuite('the machine as it is', () => {
  bound(devices.edu);
  const failing = (address?: string): string[] =>
    doctor(address)
      .checks.filter(check => !check.ok)
      .map(check => check.name);

  it('listDevices() knows every device: ids, class, driver, group', () => {
    const listed = listDevices();
    const addresses = listed.map(device => device.address);
    assert.deepEqual(addresses, [...addresses].sort());
    const { rng, vga, ...stock } = devices; // the built kernels' machines have those two as well
    for (const address of Object.values(stock)) assert.ok(addresses.includes(address), address);
    assert.equal(addresses.includes(rng), addresses.includes(vga));
    for (const device of listed) {
      assert.ok(Object.isFrozen(device));
      assert.equal(device.driver, driverOf(device.address));
      // The IOMMU itself, and on some what no driver has taken yet, is in no group.
      const grouped = existsSync(`/sys/bus/pci/devices/${device.address}/iommu_group`);
      assert.equal(device.group, grouped ? groupOf(device.address) : undefined);
      assert.equal(device.groupMembers.includes(device.address), grouped);
    }
    const nic = findDevice('01:00.0');
    assert.deepEqual(
      listed.find(device => device.address === devices.nicA),
      nic,
    );
    assert.deepEqual(
      [nic.vendorId, nic.deviceId, nic.className, nic.driver, nic.numaNode],
      [0x8086, 0x10d3, 'Ethernet controller', 'e1000e', undefined],
    );
    assert.equal(findDevice(devices.nvme).className, 'NVMe controller');
    assert.equal(findDevice(devices.edu).driver, 'vfio-pci');
  });

  it('doctor() finds that it can do all that is needed', () => {
    const report = doctor();
    assert.deepEqual(failing(), []);
    assert.equal(report.ok, true);
    const detail = (name: string): string => report.checks.find(check => check.name === name)?.detail ?? '';
    assert.match(detail('iommu'), /^\d+ IOMMU groups/);
    assert.match(detail('modules'), /vfio_pci are there/);
    assert.match(detail('container'), /\/dev\/vfio\/vfio belongs to user 0/);
    assert.match(detail('limits'), /65535 DMA mappings a container/);
    assert.match(report.kernel, /^\d+\.\d+/);
  });

  it('doctor(address) finds what a device lacks', () => {
    assert.deepEqual(failing(devices.edu), []);
    assert.deepEqual(failing(devices.nicA), ['driver']);
    assert.deepEqual(failing(devices.testdev), ['driver']);
    assert.deepEqual(failing('0000:04:00.7'), ['device']);
    const { checks } = doctor(devices.testdev);
    assert.match(checks.find(check => check.name === 'driver')?.cure ?? '', /\{ bind: true \}/);
  });
});
