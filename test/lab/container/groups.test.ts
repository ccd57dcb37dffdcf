import assert from 'node:assert/strict';
import { Container, Group } from 'vfio';
import { devices } from '../../../lab/devices';
import { covers } from '../../support/covers';
import { bound } from '../support/bound';
import { ADDRESS_BITS, EduCard, fillPattern } from '../support/edu';
import { labSuite } from '../support/suite';

labSuite('container: several groups share one address space', () => {
  bound(devices.edu, devices.pairEdu, devices.nicA);
  let container: Container;
  let groups: Group[];
  beforeEach(() => {
    container = Container.open();
    groups = [devices.edu, devices.pairEdu, devices.nicA].map(address => Group.open(address));
  });
  afterEach(() => {
    container.close();
    for (const group of groups) group.close();
  });

  it('moves bytes from one device to another through memory both see at the same address', async () => {
    const [first, second] = groups as [Group, Group];
    container.attach(first);
    container.setIommu();
    const memory = container.dma.alloc(4096, { addressBits: ADDRESS_BITS });
    container.attach(second);
    assert.deepEqual(container.groups, [first, second]);
    assert.equal(second.container, container);
    assert.deepEqual(second.status(), { viable: true, containerSet: true });

    using one = first.openDeviceSync(devices.edu);
    using two = second.openDeviceSync(devices.pairEdu);
    const [a, b] = [new EduCard(one), new EduCard(two)];
    one.enableBusMaster();
    two.enableBusMaster();
    fillPattern(memory.u8, 1);
    const sent = memory.u8.slice(0, 1024);
    await a.readFrom(memory.iova, 1024);
    memory.u8.fill(0);
    await a.writeTo(memory.iova, 1024);
    await b.readFrom(memory.iova, 1024);
    memory.u8.fill(0);
    await b.writeTo(memory.iova, 1024);
    assert.deepEqual(memory.u8.slice(0, 1024), sent);
    covers(
      'VFIO_GROUP_SET_CONTAINER',
      'VFIO_GROUP_FLAGS_CONTAINER_SET',
      'VFIO_GROUP_GET_DEVICE_FD',
      'VFIO_IOMMU_MAP_DMA',
    );
  });

  it('takes groups before and after the IOMMU is set, and goes on while one is left', () => {
    const [first, second, third] = groups as [Group, Group, Group];
    container.attach(first);
    container.attach(second);
    container.setIommu();
    container.attach(third);
    const memory = container.dma.alloc(4096);
    container.detach(first);
    container.detach(third);
    assert.deepEqual(container.groups, [second]);
    assert.equal(first.container, undefined);
    assert.equal(first.status().containerSet, false);
    assert.equal(memory.freed, false);
    assert.equal(container.dma.alloc(4096).freed, false);
    container.attach(first);
    using device = first.openDeviceSync(devices.edu);
    assert.equal(device.container, container);
    covers('VFIO_GROUP_SET_CONTAINER', 'VFIO_GROUP_UNSET_CONTAINER');
  });

  it('has a group once, and a group has one container', () => {
    const [first, second] = groups as [Group, Group];
    container.attach(first);
    assert.throws(() => container.attach(first), {
      code: 'ERR_VFIO_BUSY',
      message: /in a container already/,
    });
    using other = Container.open();
    assert.throws(() => other.attach(first), { code: 'ERR_VFIO_BUSY' });
    assert.throws(() => other.detach(first), { code: 'ERR_VFIO_BUSY', message: /not in this container/ });
    assert.throws(() => container.detach(second), {
      code: 'ERR_VFIO_BUSY',
      message: /not in this container/,
    });
    assert.deepEqual(container.groups, [first]);
  });

  it('does not let a group go whose device is open', () => {
    const [first] = groups as [Group];
    container.attach(first);
    container.setIommu();
    const device = first.openDeviceSync(devices.edu);
    assert.throws(() => container.detach(first), { code: 'ERR_VFIO_BUSY', message: /0000:04:00\.0 open/ });
    device.closeSync();
    container.detach(first);
  });

  it('takes no group into a closed container, and no closed group', () => {
    const [first] = groups as [Group];
    const closed = Container.open();
    closed.close();
    assert.throws(() => closed.attach(first), { code: 'ERR_VFIO_CLOSED' });
    first.close();
    assert.throws(() => container.attach(first), { code: 'ERR_VFIO_CLOSED' });
    assert.deepEqual(container.groups, []);
  });
});
