import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { findDevice, listDevices } from '../../../lib/index.js';
import { className } from '../../../lib/pci/class-names.js';
import { skip } from '../../support/skip.js';

const directory = '/sys/bus/pci/devices';
const addresses = existsSync(directory) ? readdirSync(directory).sort() : [];

describe('listing PCI devices', () => {
  it('finds what sysfs has, in order', () => {
    assert.deepEqual(
      listDevices().map(device => device.address),
      addresses,
    );
  });

  it('says what sysfs says', function () {
    if (addresses.length === 0) skip(this, 'this machine has no PCI bus');
    for (const device of listDevices()) {
      const number = (name: string): number =>
        Number(readFileSync(`${directory}/${device.address}/${name}`, 'utf8'));
      assert.deepEqual(
        [device.vendorId, device.deviceId, device.classCode, device.revision],
        [number('vendor'), number('device'), number('class'), number('revision')],
      );
      assert.equal(device.className, className(device.classCode));
      assert.equal(device.driver !== undefined, existsSync(`${directory}/${device.address}/driver`));
      assert.equal(device.group !== undefined, existsSync(`${directory}/${device.address}/iommu_group`));
      assert(
        device.group === undefined
          ? device.groupMembers.length === 0
          : device.groupMembers.includes(device.address),
      );
      assert(Object.isFrozen(device) && Object.isFrozen(device.groupMembers));
    }
  });

  it('finds each by its address, long and short', function () {
    const [device] = listDevices();
    if (device === undefined) skip(this, 'this machine has no PCI bus');
    assert.deepEqual(findDevice(device.address.toUpperCase()), device);
    if (device.address.startsWith('0000:')) assert.deepEqual(findDevice(device.address.slice(5)), device);
  });

  it('names those nearby when there is none', function () {
    const bus = addresses[0]?.slice(0, 8);
    if (bus === undefined) skip(this, 'this machine has no PCI bus');
    const near = addresses.filter(address => address.startsWith(bus));
    const free = Array.from({ length: 32 }, (_, i) => `${bus}${i.toString(16).padStart(2, '0')}.7`).find(
      one => !near.includes(one),
    );
    assert(free !== undefined);
    assert.throws(() => findDevice(free), {
      name: 'VfioError',
      code: 'ERR_VFIO_NO_DEVICE',
      address: free,
      likelyCause: `on that bus there are ${near.join(', ')}`,
    });
  });

  it('has words for common classes, and numbers for the rest', () => {
    assert.equal(className(0x02_0000), 'Ethernet controller');
    assert.equal(className(0x01_0802), 'NVMe controller');
    assert.equal(className(0xff_ff00), 'class 0xffff00');
  });
});
