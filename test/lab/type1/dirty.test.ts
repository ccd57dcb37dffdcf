import assert from 'node:assert/strict';
import { Container, Group, Iommu, Iommufd, type IommuType } from 'vfio';
import { devices } from '../../../lab/devices';
import { covers, refusal } from '../../support/covers';
import { lacking, needs } from '../../support/needs';
import { skip } from '../../support/skip';
import { bound } from '../support/bound';
import { mediated } from '../support/mdev';
import { labSuite } from '../support/suite';

const page = 4096;
const base = 0x100_0000n;

/** How many of the first `count` bits are set. */
function bits(bitmap: BigUint64Array, count: number): number {
  let set = 0;
  for (let i = 0; i < count; i++) if (((bitmap[i >> 6] as bigint) >> BigInt(i & 63)) & 1n) set++;
  return set;
}

labSuite('type1: dirty pages', () => {
  needs({ iommu: true, devices: [devices.edu] });
  bound(devices.edu);
  let group: Group;
  let container: Container;
  function set(type: IommuType): void {
    container.attach(group);
    container.setIommu(type);
  }
  beforeEach(() => {
    group = Group.open(devices.edu);
    container = Container.open();
  });
  afterEach(() => {
    container.close();
    group.close();
  });

  it('are all that is mapped, with a device behind an IOMMU', () => {
    set(Iommu.Type1v2);
    container.dma.alloc(3 * page, { iova: base });
    container.startDirtyTracking();
    container.startDirtyTracking();
    container.dma.alloc(page, { iova: base + BigInt(8 * page) });
    assert.deepEqual(
      container.dirtyBitmap(base, 100 * page),
      new BigUint64Array([0b1_0000_0111n, 0n]),
      'pages 0 to 2 and 8',
    );
    for (let round = 0; round < 2; round++)
      assert.deepEqual(container.dirtyBitmap(base, 3 * page), new BigUint64Array([0b111n]), 'and so again');
    container.stopDirtyTracking();
    container.stopDirtyTracking();
    covers(
      'VFIO_IOMMU_DIRTY_PAGES',
      'VFIO_IOMMU_DIRTY_PAGES_FLAG_START',
      'VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP',
      'VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP',
    );
  });

  it('are told when memory is freed', () => {
    set(Iommu.Type1v2);
    container.startDirtyTracking();
    const buffer = container.dma.alloc(65 * page);
    const bitmap = buffer.freeDirty();
    assert.deepEqual([bitmap.length, bits(bitmap, 65), bits(bitmap, 128)], [2, 65, 65]);
    assert.equal(buffer.freed, true);
    assert.deepEqual(container.dma.buffers, []);
    assert.throws(() => buffer.freeDirty(), { code: 'ERR_VFIO_CLOSED' });
    covers('VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP');
  });

  it('are not known unless they are tracked, and nothing is freed then', () => {
    set(Iommu.Type1v2);
    const buffer = container.dma.alloc(page);
    assert.throws(() => container.dirtyBitmap(buffer.iova, page), {
      code: 'EINVAL',
      syscall: 'VFIO_IOMMU_DIRTY_PAGES',
      message: /Likely cause: dirty-page tracking is off, /,
    });
    assert.throws(() => buffer.freeDirty(), {
      code: 'EINVAL',
      syscall: 'VFIO_IOMMU_UNMAP_DMA',
      message: /Likely cause: dirty-page tracking is off, /,
    });
    assert.equal(buffer.freed, false);
    buffer.u32[0] = 1;
    container.startDirtyTracking();
    assert.deepEqual(buffer.freeDirty(), new BigUint64Array([1n]));
  });

  it('come in the smallest page of the IOMMU, for whole mappings', () => {
    set(Iommu.Type1v2);
    container.startDirtyTracking();
    const buffer = container.dma.alloc(4 * page, { iova: base });
    const invalid = { code: 'EINVAL', syscall: 'VFIO_IOMMU_DIRTY_PAGES', message: /cuts a mapping in two/ };
    assert.throws(() => container.dirtyBitmap(base, 2 ** 21, 2 ** 21), invalid);
    assert.throws(() => container.dirtyBitmap(base, page), invalid, 'the first page of four');
    assert.throws(() => container.dirtyBitmap(base + BigInt(page), 3 * page), invalid);
    assert.throws(() => container.dirtyBitmap(base, 4 * page + 1), invalid);
    assert.throws(() => buffer.freeDirty(2 ** 21), { code: 'EINVAL', syscall: 'VFIO_IOMMU_UNMAP_DMA' });
    assert.equal(buffer.freed, false);
  });

  it('are announced with the sizes of pages and bitmaps', () => {
    set(Iommu.Type1v2);
    const { migration, pageSizes } = container.iommuInfo();
    assert.deepEqual(migration, { pageSizes: [pageSizes[0]], maxBitmapBytes: 2n ** 28n });
    covers('VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION');
  });

  it('are for Type1v2 only', () => {
    set(Iommu.Type1);
    const refused = {
      code: 'EACCES',
      message: /Likely cause: the container is set to Type1, .* Try: container\.setIommu\(Iommu\.Type1v2\)/,
    };
    assert.throws(() => container.startDirtyTracking(), refused);
    assert.throws(() => container.stopDirtyTracking(), refused);
    assert.throws(() => container.dirtyBitmap(0n, page), refused);
  });

  it('need an IOMMU, and an open container', () => {
    const none = { code: 'ERR_VFIO_NO_IOMMU', message: /^The container has no IOMMU yet/ };
    assert.throws(() => container.startDirtyTracking(), none);
    assert.throws(() => container.stopDirtyTracking(), none);
    assert.throws(() => container.dirtyBitmap(0n, page), none);
    container.close();
    const closed = { code: 'ERR_VFIO_CLOSED' };
    assert.throws(() => container.startDirtyTracking(), closed);
    assert.throws(() => container.stopDirtyTracking(), closed);
    assert.throws(() => container.dirtyBitmap(0n, page), closed);
  });

  it('are asked for with the right arguments', () => {
    set(Iommu.Type1v2);
    assert.throws(() => container.dirtyBitmap('0' as never, page), {
      code: 'ERR_INVALID_ARG_TYPE',
      message: /^iova/,
    });
    for (const length of [0, -1, 1.5, NaN])
      assert.throws(() => container.dirtyBitmap(0n, length), {
        code: 'ERR_OUT_OF_RANGE',
        message: /^length/,
      });
    for (const size of [0, 3, -page])
      assert.throws(() => container.dirtyBitmap(0n, page, size), { message: /^pageSize must be/ });
    const buffer = container.dma.alloc(page);
    for (const size of [0, 3, -page])
      assert.throws(() => buffer.freeDirty(size), { message: /^pageSize must be/ });
    assert.throws(() => buffer.freeDirty('4096' as never), {
      code: 'ERR_INVALID_ARG_TYPE',
      message: /^pageSize/,
    });
  });

  it('are not for a container over an iommufd, nor for an address space of one', function () {
    if (lacking({ iommufd: true }) !== undefined) skip(this, 'needs /dev/iommu');
    using iommufd = Iommufd.open();
    using over = Container.open({ iommufd });
    over.attach(group);
    over.setIommu(Iommu.Type1v2);
    assert.throws(() => over.startDirtyTracking(), {
      code: 'ENOTTY',
      message: /tracks pages by page table\. Try: HwPageTable/,
    });
    using ioas = iommufd.allocIoas();
    const buffer = ioas.dma.alloc(page);
    assert.throws(() => buffer.freeDirty(), {
      code: 'ERR_VFIO_UNSUPPORTED',
      message: 'This memory is in an address space of an iommufd, not in a container',
    });
    refusal('VFIO_IOMMU_DIRTY_PAGES', 'VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP');
  });
});

labSuite('type1: dirty pages of a mediated device', () => {
  needs({ profile: 'mdev' });
  const [mtty] = mediated('mtty-1');

  it('are those that its driver used: none of mtty', () => {
    using container = Container.open();
    using group = Group.open(mtty);
    container.attach(group);
    container.setIommu();
    container.startDirtyTracking();
    const buffer = container.dma.alloc(10 * page, { iova: base });
    assert.deepEqual(container.dirtyBitmap(base, 10 * page), new BigUint64Array(1));
    assert.deepEqual(buffer.freeDirty(), new BigUint64Array(1));
    covers('VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP', 'VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP');
  });
});
