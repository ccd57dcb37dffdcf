import assert from 'node:assert/strict';
import { Container, Group, Iommu } from 'vfio';
import { devices } from '../../../lab/devices';
import { covers } from '../../support/covers';
import { bound } from '../support/bound';
import { held } from '../support/held';
import { labSuite } from '../support/suite';

labSuite('container: when its last group leaves', () => {
  bound(devices.edu);
  let container: Container;
  let group: Group;
  beforeEach(() => {
    container = Container.open();
    group = Group.open(devices.edu);
    container.attach(group);
    container.setIommu();
  });
  afterEach(() => {
    container.close();
    group.close();
  });

  it('frees all DMA memory, as the kernel drops every mapping', () => {
    const { pinned } = held();
    const buffers = [container.dma.alloc(4096), container.dma.alloc(8192)];
    const view = buffers[0]?.u32;
    view?.fill(7);
    container.detach(group);
    assert.ok(buffers.every(buffer => buffer.freed));
    assert.throws(() => buffers[0]?.u8, { code: 'ERR_VFIO_CLOSED', message: /DMA buffer at IOVA 0x100000/ });
    assert.equal(view?.[0], 0, 'a view that was kept sees zeroes');
    assert.deepEqual(container.dma.buffers, []);
    assert.equal(container.dma.bytesMapped, 0);
    assert.equal(held().pinned, pinned);
  });

  it('forgets the IOMMU, and takes a group and an IOMMU again', () => {
    container.detach(group);
    assert.equal(container.iommuType, undefined);
    assert.throws(() => container.dma.alloc(4096), { code: 'ERR_VFIO_NO_IOMMU' });
    assert.throws(() => container.iommuInfo(), { code: 'ERR_VFIO_NO_IOMMU' });
    container.attach(group);
    assert.throws(() => container.dma.alloc(4096), { code: 'ERR_VFIO_NO_IOMMU' });
    container.setIommu(Iommu.Type1);
    using device = group.openDeviceSync(devices.edu);
    assert.equal(device.dma.alloc(4096).iova, 0x10_0000n, 'the address space is empty again');
    covers('VFIO_GROUP_UNSET_CONTAINER', 'VFIO_TYPE1_IOMMU');
  });

  it('is the same when the group is closed rather than detached', () => {
    const device = group.openDeviceSync(devices.edu);
    const buffer = container.dma.alloc(4096);
    group.close();
    assert.equal(device.closed, true);
    assert.equal(buffer.freed, true);
    assert.equal(container.closed, false);
    assert.deepEqual([container.groups, container.iommuType], [[], undefined]);
  });
});
