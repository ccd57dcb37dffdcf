import assert from 'node:assert/strict';
import { Container, Device, Group, Iommu, Iommufd } from 'vfio';
import { devices } from '../../../lab/devices';
import { covers } from '../../support/covers';
import { needs } from '../../support/needs';
import { bound } from '../support/bound';
import { cdevMachine } from '../support/cdev';
import { ADDRESS_BITS, EduCard, fillPattern } from '../support/edu';
import { labSuite } from '../support/suite';

labSuite('iommufd: the compatibility mode of containers', () => {
  needs(cdevMachine);
  bound(devices.edu);

  it('has an address space when it was given one, or needed one', () => {
    using iommufd = Iommufd.open();
    const none = { code: 'ENODEV', syscall: 'IOMMU_VFIO_IOAS' };
    assert.throws(() => iommufd.compatIoasId(), none);
    const [first, second] = [iommufd.allocIoas(), iommufd.allocIoas()];
    iommufd.setCompatIoas(first);
    assert.equal(iommufd.compatIoasId(), first.id);
    iommufd.setCompatIoas(second);
    assert.equal(iommufd.compatIoasId(), second.id);
    iommufd.clearCompatIoas();
    assert.throws(() => iommufd.compatIoasId(), none);
    using other = Iommufd.open();
    assert.throws(() => other.setCompatIoas(first), {
      name: 'TypeError',
      message: /an Ioas of this iommufd/,
    });
    covers('IOMMU_VFIO_IOAS', 'IOMMU_VFIO_IOAS_GET', 'IOMMU_VFIO_IOAS_SET', 'IOMMU_VFIO_IOAS_CLEAR');
  });

  it('an iommufd takes the place of a container: the same calls, and DMA into its address space', async () => {
    using iommufd = Iommufd.open();
    const ioas = iommufd.allocIoas();
    iommufd.setCompatIoas(ioas);
    using container = Container.open({ iommufd });
    assert.equal(container.checkExtension('Type1v2'), 1);
    using group = Group.open(devices.edu);
    container.attach(group);
    container.setIommu(Iommu.Type1v2);
    const device = await group.openDevice(devices.edu);
    const card = new EduCard(device);
    const memory = container.dma.alloc(8192, { addressBits: ADDRESS_BITS });
    device.enableBusMaster();
    fillPattern(memory.u8, 11);
    const sent = memory.u8.slice(0, 512);
    await card.readFrom(memory.iova, 512);
    await card.writeTo(memory.iova + 4096n, 512);
    assert.deepEqual(memory.u8.slice(4096, 4096 + 512), sent);
    assert.throws(() => ioas.dma.alloc(4096, { iova: memory.iova }), { code: 'EEXIST' }, 'it is that space');
    memory.free();
    await device.close();
  });

  it('is what Device.open() takes when it is given such a container', async () => {
    using iommufd = Iommufd.open();
    using container = Container.open({ iommufd });
    await using device = await Device.open(devices.edu, { container });
    assert.equal(device.container, container);
    assert.equal(device.bar(0).read32(0) & 0xffff, 0xed);
    assert.ok(iommufd.compatIoasId() > 0, 'the kernel made one');
  });
});
