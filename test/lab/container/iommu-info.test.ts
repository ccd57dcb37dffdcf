import assert from 'node:assert/strict';
import { Container, Group, type IommuInfo } from 'vfio';
import { devices } from '../../../lab/devices';
import { covers } from '../../support/covers';
import { bound } from '../support/bound';
import { labSuite } from '../support/suite';

labSuite('container: IOMMU info', () => {
  bound(devices.edu);
  let container: Container;
  let group: Group;
  let info: IommuInfo;
  before(() => {
    container = Container.open();
    group = Group.open(devices.edu);
    container.attach(group);
    container.setIommu();
    info = container.iommuInfo();
  });
  after(() => {
    container.close();
    group.close();
  });
  const available = (): number =>
    container.iommuInfo().mappingsAvailable ?? assert.fail('the kernel does not say');

  it('lists the page sizes, smallest first', () => {
    // Those of AMD and virtio are all powers of two.
    const intel = [4096n, 2n ** 21n, 2n ** 30n];
    assert.deepEqual(
      info.pageSizes.filter(size => intel.includes(size)),
      intel,
    );
    for (const [i, size] of info.pageSizes.entries()) {
      assert.equal(size & (size - 1n), 0n, 'a power of two');
      if (i > 0) assert.ok(size > (info.pageSizes[i - 1] ?? size));
    }
    covers('VFIO_IOMMU_GET_INFO', 'VFIO_IOMMU_INFO_PGSIZES');
  });

  it('leaves the window of message-signalled interrupts out of the valid ranges', () => {
    const msi = { start: 0xfee0_0000n, last: 0xfeef_ffffn };
    assert.ok(info.iovaRanges.length >= 2);
    for (const { start, last } of info.iovaRanges) {
      assert.ok(start <= last);
      assert.ok(last < msi.start || start > msi.last, `${start.toString(16)}-${last.toString(16)}`);
    }
    assert.deepEqual(info.iovaRanges[0], { start: 0n, last: msi.start - 1n });
    assert.deepEqual(info.iovaRanges[1]?.start, msi.last + 1n);
    covers('VFIO_IOMMU_INFO_CAPS', 'VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE');
  });

  it('is plain frozen data', () => {
    assert.ok(Object.isFrozen(info));
    assert.ok(Object.isFrozen(info.pageSizes) && Object.isFrozen(info.iovaRanges));
    assert.ok(info.iovaRanges.every(range => Object.isFrozen(range)));
  });

  it('knows of dirty-page tracking, and no capability is beyond the library', () => {
    assert.deepEqual(info.migration?.pageSizes, [4096n]);
    assert.ok(info.migration.maxBitmapBytes > 0n);
    assert.deepEqual(info.unknown, []);
    covers('VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION');
  });

  it('counts the budget of mappings down with each and up again', () => {
    const before = available();
    assert.equal(before, 65535);
    const buffers = [1, 2, 3].map(pages => container.dma.alloc(pages * 4096));
    assert.equal(available(), before - 3);
    buffers[1]?.free();
    assert.equal(available(), before - 2);
    container.dma.freeAll();
    assert.equal(available(), before);
    covers('VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL', 'VFIO_IOMMU_UNMAP_DMA');
  });
});
