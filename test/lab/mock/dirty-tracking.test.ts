import assert from 'node:assert/strict';
import { HwPageTable } from 'vfio';
import { covers } from '../../support/covers';
import { needs } from '../../support/needs';
import { aperture, MockFlags, MockIommu, mockMachine } from '../support/mock';
import { labSuite } from '../support/suite';

const page = 4096;

labSuite('mock iommufd: which pages devices write', () => {
  // The mock IOMMU of older kernels has pages of 2 KiB, and marks others wrongly.
  needs({ ...mockMachine, kernel: '7.0' });
  let mock: MockIommu;
  let table: HwPageTable;
  /** 128 pages. */
  let iova: bigint;
  beforeEach(() => {
    mock = new MockIommu();
    const ioas = mock.iommufd.allocIoas();
    const device = mock.device(ioas);
    table = HwPageTable.alloc(device.device, ioas, { dirtyTracking: true });
    device.replace(table);
    // One entry of a page table is dirty or clean as a whole, however large it is.
    ioas.hugePages = false;
    iova = ioas.dma.alloc(128 * page, { iova: aperture.start }).iova;
  });
  afterEach(() => mock.close());
  const bytes = 128 * page;

  it('is one bit a page, and taken by reading it', () => {
    table.setDirtyTracking(true);
    assert.deepEqual(table.dirtyBitmap(iova, bytes), BigUint64Array.of(0n, 0n));
    assert.equal(mock.markDirty(table, iova, page, [0, 5, 64, 127], 128), 4);
    const expected = BigUint64Array.of(0b10_0001n, (1n << 63n) | 1n);
    assert.deepEqual(table.dirtyBitmap(iova, bytes), expected);
    assert.deepEqual(table.dirtyBitmap(iova, bytes), BigUint64Array.of(0n, 0n));
    covers(
      'IOMMU_HWPT_ALLOC_DIRTY_TRACKING',
      'IOMMU_HWPT_SET_DIRTY_TRACKING',
      'IOMMU_HWPT_DIRTY_TRACKING_ENABLE',
      'IOMMU_HWPT_GET_DIRTY_BITMAP',
    );
  });

  it('stays when it is only looked at', () => {
    table.setDirtyTracking(true);
    mock.markDirty(table, iova, page, [3], 128);
    for (let i = 0; i < 2; i++) assert.equal(table.dirtyBitmap(iova, bytes, { keep: true })[0], 8n);
    assert.equal(table.dirtyBitmap(iova, bytes)[0], 8n);
    assert.equal(table.dirtyBitmap(iova, bytes)[0], 0n);
    covers('IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR');
  });

  it('is told for part of a mapping, and for larger pages', () => {
    table.setDirtyTracking(true);
    mock.markDirty(table, iova, page, [9, 70], 128);
    assert.deepEqual(table.dirtyBitmap(iova + 8n * 4096n, 16 * page, { keep: true }), BigUint64Array.of(2n));
    assert.deepEqual(
      table.dirtyBitmap(iova, bytes, { pageSize: 4 * page }),
      BigUint64Array.of((1n << 2n) | (1n << 17n)),
    );
  });

  it('is noted only between start and stop', () => {
    const write = (): number => mock.markDirty(table, iova, page, [1], 128);
    assert.throws(write, { code: 'EINVAL' });
    table.setDirtyTracking(true);
    table.setDirtyTracking(true);
    write();
    table.setDirtyTracking(false);
    table.setDirtyTracking(false);
    assert.throws(write, { code: 'EINVAL' });
    table.setDirtyTracking(true);
  });

  it('is known of page tables made for it, on an IOMMU that can', () => {
    const ioas = mock.iommufd.allocIoas();
    const plain = HwPageTable.alloc(mock.device(ioas).device, ioas);
    assert.throws(() => plain.setDirtyTracking(true), {
      code: 'ENOTSUP',
      syscall: 'IOMMU_HWPT_SET_DIRTY_TRACKING',
      message: /not made with dirtyTracking/,
    });
    const without = mock.device(ioas, MockFlags.NoDirty);
    assert.throws(() => HwPageTable.alloc(without.device, ioas, { dirtyTracking: true }), {
      code: 'ENOTSUP',
      syscall: 'IOMMU_HWPT_ALLOC',
      message: /the IOMMU of mock device \d+ cannot do that/,
    });
    assert.throws(() => without.replace(table), { code: 'EINVAL' });
  });

  it('is asked for with sense', () => {
    table.setDirtyTracking(true);
    const range = { code: 'ERR_OUT_OF_RANGE' };
    assert.throws(() => table.dirtyBitmap(-1n, bytes), range);
    assert.throws(() => table.dirtyBitmap(iova, 0), { ...range, message: /length/ });
    assert.throws(() => table.dirtyBitmap(iova, bytes, { pageSize: 3000 }), {
      ...range,
      message: /power of two/,
    });
    assert.throws(() => table.dirtyBitmap(iova, bytes, { keep: 1 as never }), {
      code: 'ERR_INVALID_ARG_TYPE',
    });
    assert.throws(() => table.dirtyBitmap(iova, bytes, { clear: false } as never), {
      code: 'ERR_UNKNOWN_OPTION',
    });
    assert.throws(() => table.setDirtyTracking(1 as never), { code: 'ERR_INVALID_ARG_TYPE' });
    assert.throws(() => table.dirtyBitmap(iova + 1n, bytes), {
      code: 'EINVAL',
      syscall: 'IOMMU_HWPT_GET_DIRTY_BITMAP',
      message: /not whole pages/,
    });
    mock.iommufd.close();
    assert.throws(() => table.dirtyBitmap(iova, bytes), { code: 'ERR_VFIO_CLOSED' });
    assert.throws(() => table.setDirtyTracking(false), { code: 'ERR_VFIO_CLOSED' });
  });
});
