import assert from 'node:assert/strict';
import { Container, type Device, Group, Iommu, Iommufd } from 'vfio';
import { devices } from '../../../lab/devices';
import { cdevPath } from '../../../lib/iommufd/cdev';
import { type DeviceHandle, native } from '../../../lib/native';
import { covers } from '../../support/covers';
import { needs } from '../../support/needs';
import { bound } from '../support/bound';
import { ADDRESS_BITS, EduCard, fillPattern } from '../support/edu';
import { labSuite } from '../support/suite';

const options = { addressBits: ADDRESS_BITS };

/** Whether the device reaches a buffer: it copies the first half onto the second. */
async function reaches(device: Device, memory: { u8: Uint8Array; iova: bigint }): Promise<boolean> {
  const edu = new EduCard(device);
  fillPattern(memory.u8, 3);
  memory.u8.fill(0, 2048);
  await edu.readFrom(memory.iova, 64);
  await edu.writeTo(memory.iova + 2048n, 64);
  return Buffer.from(memory.u8.slice(2048, 2048 + 64)).equals(Buffer.from(memory.u8.slice(0, 64)));
}

labSuite('guide: the order of calls, with a group and a container', () => {
  needs({ iommu: true, devices: [devices.edu] });
  bound(devices.edu);
  let container: Container;
  let group: Group;
  beforeEach(() => {
    container = Container.open();
    group = Group.open(devices.edu);
  });
  afterEach(() => {
    container.close();
    group.close();
  });

  it('the group goes into the container, then the container gets its IOMMU, then the device is opened', async () => {
    const noIommu = { code: 'ERR_VFIO_NO_IOMMU' };
    assert.throws(() => container.setIommu(), noIommu);
    assert.throws(() => container.dma.alloc(4096), noIommu);
    await assert.rejects(group.openDevice(devices.edu), noIommu);
    container.attach(group);
    assert.throws(() => container.dma.alloc(4096), noIommu);
    await assert.rejects(group.openDevice(devices.edu), noIommu);
    container.setIommu();
    container.dma.alloc(4096).free();
    await (await group.openDevice(devices.edu)).close();
  });

  it('the kernel itself says EINVAL to what comes too early', () => {
    const early = (syscall: string) => ({ code: 'EINVAL', syscall });
    const open = (): unknown => native().groupGetDeviceFd(group.handle, devices.edu, false);
    assert.throws(() => native().containerSetIommu(container.handle, Iommu.Type1v2), early('VFIO_SET_IOMMU'));
    assert.throws(open, early('VFIO_GROUP_GET_DEVICE_FD'));
    container.attach(group);
    assert.throws(open, early('VFIO_GROUP_GET_DEVICE_FD'));
    covers('VFIO_GROUP_SET_CONTAINER');
  });

  it('memory may be mapped before or after the device is opened', async () => {
    container.attach(group);
    container.setIommu();
    const early = container.dma.alloc(4096, options);
    const device = await group.openDevice(devices.edu);
    device.enableBusMaster();
    const late = container.dma.alloc(4096, options);
    assert.equal(await reaches(device, early), true);
    assert.equal(await reaches(device, late), true);
  });

  it('the group stays in the container until its devices are closed', async () => {
    container.attach(group);
    container.setIommu();
    const device = await group.openDevice(devices.edu);
    assert.throws(() => native().groupUnsetContainer(group.handle), {
      code: 'EBUSY',
      syscall: 'VFIO_GROUP_UNSET_CONTAINER',
    });
    assert.throws(() => container.detach(group), {
      code: 'ERR_VFIO_BUSY',
      message: /still has 0000:04:00\.0 open/,
    });
    await device.close();
    container.detach(group);
    covers('VFIO_GROUP_UNSET_CONTAINER');
  });
});

labSuite('guide: the order of calls, with the cdev and an iommufd', () => {
  needs({ iommu: true, iommufd: true, feature: 'deviceCdev', devices: [devices.edu] });
  bound(devices.edu);

  it('the cdev can be opened at any time and answers nothing until it is bound', () => {
    const path = cdevPath(devices.edu);
    assert(path !== undefined);
    const handle = native().deviceOpenCdev(path, false) as DeviceHandle;
    assert.throws(() => native().deviceGetInfo(handle), { code: 'EINVAL' });
    native().deviceClose(handle, false);
  });

  it('bound, its registers work; its memory only while it is attached', async () => {
    using iommufd = Iommufd.open();
    using ioas = iommufd.allocIoas();
    const memory = ioas.dma.alloc(4096, options);
    const device = await iommufd.openDevice(devices.edu);
    try {
      assert.equal(device.bar(0).read32(0) & 0xffff, 0xed);
      assert.throws(() => device.dma, { code: 'ERR_VFIO_NO_IOMMU' });
      device.enableBusMaster();
      assert.equal(await reaches(device, memory), false, 'before it is attached');
      device.attach(ioas);
      assert.equal(await reaches(device, memory), true);
      const late = ioas.dma.alloc(4096, options);
      assert.equal(await reaches(device, late), true, 'mapped while it is attached');
      device.detach();
      assert.equal(await reaches(device, memory), false, 'after it was detached');
      covers('VFIO_DEVICE_ATTACH_IOMMUFD_PT', 'VFIO_DEVICE_DETACH_IOMMUFD_PT');
    } finally {
      await device.close();
    }
  });

  it('the group and the cdev of a device exclude each other', async () => {
    using iommufd = Iommufd.open();
    {
      const device = await iommufd.openDevice(devices.edu);
      assert.throws(() => Group.open(devices.edu), { code: 'EBUSY' });
      await device.close();
    }
    using group = Group.open(devices.edu);
    assert.equal(group.closed, false);
    await assert.rejects(iommufd.openDevice(devices.edu), { code: 'EBUSY' });
  });
});
