import assert from 'node:assert/strict';
import { checkIova, planAlloc, planMap } from '../../../lib/dma/options.js';

const page = 4096;
const MiB = 2 ** 20;
const last64 = 0xffff_ffff_ffff_ffffn;

describe('planning an allocation', () => {
  it('rounds up to pages', () => {
    for (const [bytes, length] of [
      [1, page],
      [page, page],
      [page + 1, 2 * page],
    ] as const) {
      assert.equal(planAlloc(bytes, undefined, page).length, length);
    }
    assert.equal(planAlloc(1, undefined, 65_536).length, 65_536);
  });

  it('has defaults', () => {
    assert.deepEqual(planAlloc(1, {}, page), {
      iova: undefined,
      length: page,
      align: page,
      hugePageSize: 0,
      numaNode: -1,
      deviceReads: true,
      deviceWrites: true,
      last: last64,
    });
  });

  it('aligns large memory so that large pages fit', () => {
    assert.equal(planAlloc(2 * MiB - page, {}, page).align, page);
    assert.equal(planAlloc(2 * MiB, {}, page).align, 2 * MiB);
    assert.equal(planAlloc(2 * MiB, { align: page }, page).align, page, 'unless told otherwise');
    assert.equal(planAlloc(page, { align: 1 }, page).align, page, 'never below a page');
    assert.equal(planAlloc(page, { align: 2 ** 30 }, page).align, 2 ** 30);
  });

  it('rounds up to huge pages when asked for them', () => {
    for (const [hugepages, size] of [
      [true, 2 * MiB],
      ['2M', 2 * MiB],
      ['1G', 1024 * MiB],
    ] as const) {
      const plan = planAlloc(page, { hugepages }, page);
      assert.deepEqual([plan.hugePageSize, plan.length, plan.align], [size, size, size]);
    }
    assert.equal(planAlloc(page, { hugepages: false }, page).hugePageSize, 0);
  });

  it('limits the address to what the device drives', () => {
    assert.equal(planAlloc(page, { addressBits: 32 }, page).last, 0xffff_ffffn);
    assert.equal(planMap({ addressBits: 12 }).last, 0xfffn);
    assert.equal(planMap({ addressBits: 64 }).last, last64);
    for (const addressBits of [11, 65])
      assert.throws(() => planMap({ addressBits }), { code: 'ERR_OUT_OF_RANGE' });
  });

  it('takes an address as bigint or number', () => {
    assert.equal(planAlloc(page, { iova: 0x1000 }, page).iova, 0x1000n);
    assert.equal(planMap({ iova: last64 }).iova, last64);
    assert.equal(planMap({ iova: 'va' }).iova, 'va');
    assert.equal(planAlloc(page, { iova: 'va' }, page).iova, 'va');
  });

  it('refuses memory that the device could not use', () => {
    assert.throws(() => planMap({ deviceReads: false, deviceWrites: false }), {
      code: 'ERR_INVALID_ARG_VALUE',
    });
    assert.deepEqual(
      [planMap({ deviceReads: false }).deviceReads, planMap({ deviceWrites: false }).deviceWrites],
      [false, false],
    );
  });
});

describe('checking an IOVA', () => {
  it('wants it on a page', () => {
    checkIova(0x3000n, page, 0x1000n, last64);
    assert.throws(() => checkIova(0x3001n, page, 0x1000n, last64), {
      code: 'ERR_OUT_OF_RANGE',
      message: "options.iova must be a multiple of the IOMMU's page size, 4096; got 12289",
    });
  });

  it('wants all of it within reach', () => {
    checkIova(0xffff_f000n, page, 0x1000n, 0xffff_ffffn);
    assert.throws(() => checkIova(0xffff_f000n, 2 * page, 0x1000n, 0xffff_ffffn), {
      code: 'ERR_OUT_OF_RANGE',
      message: /^options.iova must be such that all 8192 bytes lie below 2\^32/,
    });
    assert.throws(() => checkIova(last64 - 4095n, 2 * page, 0x1000n, last64), { message: /below 2\^64/ });
  });
});
