import assert from 'node:assert/strict';
import { Container, Device, Group, Iommu } from 'vfio';
import { devices } from '../../../lab/devices';
import { kernelHas } from '../../../lab/kernel-features';
import { covers } from '../../support/covers';
import { needs } from '../../support/needs';
import { bound } from '../support/bound';
import { EDU_BYTES, EduCard, fillPattern } from '../support/edu';
import { labSuite } from '../support/suite';

labSuite('type1, the first version', () => {
  needs({ iommu: true, devices: [devices.edu] });
  bound(devices.edu);
  let container: Container;
  let group: Group;
  let device: Device;
  before(async () => {
    container = Container.open();
    group = Group.open(devices.edu);
    container.attach(group);
    container.setIommu(Iommu.Type1);
    device = await group.openDevice(devices.edu);
  });
  after(() => {
    container.close();
    group.close();
  });

  it('does all that a driver needs', async () => {
    assert.equal(container.iommuType, Iommu.Type1);
    device.enableBusMaster();
    const edu = new EduCard(device);
    const buffer = device.dma.alloc(4096, { addressBits: 28 });
    fillPattern(buffer.u8, 5);
    const expected = buffer.u8.slice(0, EDU_BYTES);
    await edu.readFrom(buffer.iova);
    buffer.u8.fill(0);
    await edu.writeTo(buffer.iova);
    assert.deepEqual(buffer.u8.slice(0, EDU_BYTES), expected);
    buffer.free();
    device.disableBusMaster();
    covers('VFIO_TYPE1_IOMMU', 'VFIO_IOMMU_MAP_DMA', 'VFIO_IOMMU_UNMAP_DMA');
  });

  it('unmaps everything at once, too', () => {
    const buffers = Array.from({ length: 5 }, () => device.dma.alloc(4096));
    device.dma.freeAll();
    assert(buffers.every(buffer => buffer.freed));
    assert.equal(device.dma.bytesMapped, 0);
    assert.equal(container.checkExtension('UnmapAll'), 1);
    covers('VFIO_UNMAP_ALL', 'VFIO_DMA_UNMAP_FLAG_ALL');
  });

  it('says as much about itself as the second', () => {
    const { pageSizes, iovaRanges, mappingsAvailable, migration, unknown } = container.iommuInfo();
    assert.equal(pageSizes[0], 4096n);
    assert(iovaRanges.length > 0);
    assert.equal(mappingsAvailable, 65_535);
    assert.notEqual(migration, undefined);
    assert.deepEqual(unknown, []);
    covers('VFIO_IOMMU_INFO_CAPS', 'VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL');
  });

  it('says whether DMA is coherent whatever a device asks for', () => {
    using fresh = Container.open();
    assert.equal(fresh.checkExtension('DmaCacheCoherent'), 0, 'without an IOMMU nothing can be said');
    assert([0, 1].includes(container.checkExtension('DmaCacheCoherent')));
    assert.equal(container.checkExtension(6), kernelHas('pasidAttach') ? 0 : container.checkExtension(6));
    covers('VFIO_DMA_CC_IOMMU');
  });
});
