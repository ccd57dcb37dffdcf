import assert from 'node:assert/strict';
import { Container, Group, listDevices } from '../../lib/index.js';
import { FakeKernel } from '../support/fake-kernel.js';
import { skip } from '../support/skip.js';

describe('Group', () => {
  let kernel: FakeKernel;

  beforeEach(() => {
    kernel = new FakeKernel();
  });
  afterEach(() => kernel[Symbol.dispose]());

  it('is opened by number, once', () => {
    const group = Group.open(7);
    assert.deepEqual([group.id, group.path, group.closed, group.devices], [7, '/dev/vfio/7', false, []]);
    assert.deepEqual(kernel.take(), ['groupOpen /dev/vfio/7']);
    assert.throws(() => Group.open(7), {
      code: 'ERR_VFIO_BUSY',
      message: /^Group 7 is open already in this process/,
    });
    group.close();
    group.close();
    group[Symbol.dispose]();
    assert.deepEqual(kernel.take(), ['groupClose']);
    using again = Group.open(7);
    assert.equal(again.closed, false);
  });

  it('can be opened again after a failure', () => {
    kernel.fail('groupOpen', 'EBUSY');
    assert.throws(() => Group.open(7), {
      name: 'VfioError',
      code: 'EBUSY',
      path: '/dev/vfio/7',
      message: /^Opening group 7 failed.*open already: only one holder/,
    });
    Group.open(7).close();
  });

  it('tells its status and its members', () => {
    using group = Group.open(7);
    kernel.groupStatus = 3;
    assert.deepEqual(group.status(), { viable: true, containerSet: true });
    kernel.groupStatus = 0;
    assert.deepEqual(group.status(), { viable: false, containerSet: false });
    assert.deepEqual(group.members(), []);
  });

  it('says that a device has no group, or is not there', function () {
    assert.throws(() => Group.open('ffff:ff:1f.7'), { code: 'ERR_VFIO_NO_DEVICE', address: 'ffff:ff:1f.7' });
    const device = listDevices().find(one => one.group === undefined);
    if (device === undefined) skip(this, 'every device of this machine is in an IOMMU group');
    assert.throws(() => Group.open(device.address), {
      code: 'ERR_VFIO_NO_IOMMU',
      address: device.address,
      message: /is in no IOMMU group.*intel_iommu=on/,
    });
  });

  it('names what is wrong with an address it does not have', async () => {
    using container = Container.open();
    using group = Group.open(7);
    container.attach(group);
    container.setIommu();
    const error = {
      code: 'ENODEV',
      address: '0000:09:00.0',
      message: /not a member of the group, or not bound to vfio-pci/,
    };
    assert.throws(() => group.openDeviceSync('09:00.0'), error);
    await assert.rejects(group.openDevice('09:00.0'), error);
  });

  it('closes its devices and leaves its container', () => {
    using container = Container.open();
    const group = Group.open(7);
    container.attach(group);
    container.setIommu();
    const device = group.openDeviceSync('03:00.0');
    const buffer = container.dma.alloc(4096);
    kernel.take();
    group.close();
    assert.deepEqual(kernel.take('deviceClose', 'dmaUnmapAll', 'groupUnsetContainer', 'groupClose'), [
      'deviceClose false',
      'dmaUnmapAll false',
      'groupUnsetContainer',
      'groupClose',
    ]);
    assert.deepEqual(
      [device.closed, buffer.freed, container.groups, group.container],
      [true, true, [], undefined],
    );
    const closed = { code: 'ERR_VFIO_CLOSED', message: 'Group 7 is closed' };
    for (const action of [
      () => group.status(),
      () => container.attach(group),
      () => group.openDeviceSync('03:00.0'),
    ])
      assert.throws(action, closed);
  });

  it('is let go also where the kernel took it out of its container itself', () => {
    using container = Container.open();
    const group = Group.open(7);
    container.attach(group);
    kernel.fail('groupUnsetContainer', 'EINVAL');
    group.close();
    assert.deepEqual([group.closed, container.groups], [true, []]);
  });
});
