import assert from 'node:assert/strict';
import { Device, Group, Iommufd } from 'vfio';
import { devices } from '../../../lab/devices';
import { native } from '../../../lib/native';
import { needs } from '../../support/needs';
import { createProcess } from '../../support/processes';
import { bound } from '../support/bound';
import { cdevMachine, nodeOf } from '../support/cdev';
import { Edu } from '../support/edu';
import { held } from '../support/held';
import { labSuite } from '../support/suite';
import { groupOf } from '../support/sysfs';

interface Failure {
  code: string;
  message: string;
}

labSuite('iommufd: a device that is in use', () => {
  needs(cdevMachine);
  bound(devices.edu, devices.pairEdu, devices.pairTestdev);

  it('is not opened by its node while its group is open', () => {
    using iommufd = Iommufd.open();
    const before = held();
    using group = Group.open(devices.edu);
    assert.throws(() => iommufd.openDeviceSync(devices.edu), {
      code: 'EBUSY',
      syscall: 'VFIO_DEVICE_BIND_IOMMUFD',
      address: devices.edu,
      path: nodeOf(devices.edu),
      message: new RegExp(
        `group ${group.id} is open: a device is opened by its group or by its cdev, not both`,
      ),
      cure: /close the group/,
    });
    group.close();
    assert.deepEqual(held(), before, 'the refused device is closed again');
    iommufd.openDeviceSync(devices.edu).closeSync();
  });

  it('is not opened by its group while it is open by its node', async () => {
    await using device = await Device.open(devices.edu, { via: 'cdev' });
    const path = `/dev/vfio/${groupOf(devices.edu)}`;
    const refusal = {
      code: 'EBUSY',
      syscall: 'open',
      path,
      message: /none while a device of it is open by its cdev/,
    };
    assert.throws(() => Group.open(devices.edu), refusal);
    await assert.rejects(Device.open(devices.edu, { via: 'group' }), refusal);
    assert.equal(device.bar(0).read32(Edu.ID) & 0xffff, 0xed, 'the holder goes on undisturbed');
  });

  it('is opened once in this process, by whatever iommufd', async () => {
    using one = Iommufd.open();
    using other = Iommufd.open();
    const opening = one.openDevice(devices.edu);
    const refusal = { code: 'ERR_VFIO_BUSY', message: /0000:04:00\.0 is open already in this process/ };
    await assert.rejects(one.openDevice(devices.edu), refusal);
    await using device = await opening;
    assert.throws(() => one.openDeviceSync(devices.edu), refusal);
    assert.throws(() => other.openDeviceSync(devices.edu), refusal);
    await assert.rejects(Device.open(devices.edu), refusal);
    await device.close();
    other.openDeviceSync(devices.edu).closeSync();
  });

  it('is opened by one process at a time', async () => {
    await using device = await Device.open(devices.edu, { via: 'cdev' });
    const { stdout, stderr, code } = await createProcess(async ({ vfio: { Device } }, address) => {
      const failures = [];
      for (const via of ['cdev', 'group'] as const) {
        try {
          await Device.open(address, { via });
        } catch (error) {
          const { code, message } = error as Failure;
          failures.push({ code, message });
        }
      }
      process.stdout.write(JSON.stringify(failures));
    }, devices.edu);
    assert.deepEqual([code, stderr], [0, '']);
    const [byNode, byGroup] = JSON.parse(stdout) as Failure[];
    assert.equal(byNode?.code, 'EINVAL');
    assert.match(byNode.message, /the device is open already, in another program/);
    assert.equal(byGroup?.code, 'EBUSY');
    assert.equal(device.bar(0).read32(Edu.ID) & 0xffff, 0xed);
  });

  it('keeps the other devices of its group from other iommufds', async () => {
    using one = Iommufd.open();
    using other = Iommufd.open();
    await using edu = await one.openDevice(devices.pairEdu);
    await assert.rejects(other.openDevice(devices.pairTestdev), {
      code: 'EPERM',
      syscall: 'VFIO_DEVICE_BIND_IOMMUFD',
      message: new RegExp(`another device of group ${edu.groupId ?? '?'} is bound to another iommufd`),
    });
    using ioas = other.allocIoas();
    await assert.rejects(Device.open(devices.pairTestdev, { ioas }), {
      code: 'ERR_VFIO_BUSY',
      message: new RegExp(
        `Another device of the group of ${devices.pairTestdev} is bound to another iommufd`,
      ),
    });
    await using testdev = await one.openDevice(devices.pairTestdev);
    assert.deepEqual(one.devices, [edu, testdev]);
  });

  it('keeps its iommufd, whole, while it is being reset', async () => {
    const before = held();
    const iommufd = Iommufd.open();
    const ioas = iommufd.allocIoas();
    const device = await iommufd.openDevice(devices.edu);
    const resetting = device.reset();
    assert.throws(() => iommufd.close(), { code: 'ERR_VFIO_BUSY', message: /is being reset/ });
    await resetting;
    assert.deepEqual([device.closed, iommufd.closed], [false, false]);
    ioas.close();
    assert.throws(() => native().ioasIovaRanges(iommufd.handle, ioas.id), { code: 'ENOENT' });
    iommufd.close();
    assert.equal(device.closed, true);
    assert.deepEqual(held(), before);
  });
});
