import assert from 'node:assert/strict';
import type { Dma } from 'vfio';
import { devices } from '../../../lab/devices';
import { opened } from '../support/bound';
import { held } from '../support/held';
import { labSuite } from '../support/suite';
import { coversBy, iovaRangesOf } from '../support/ways';

const [msiStart, msiLast] = [0xfee0_0000n, 0xfeef_ffffn];

labSuite('DMA memory: where the device sees it', () => {
  const edu = opened(devices.edu);
  let dma: Dma;
  before(() => ({ dma } = edu.device));
  afterEach(() => dma.freeAll());

  it('lies within what the IOMMU accepts, one beside the other, none in the first megabyte', () => {
    const ranges = iovaRangesOf(edu.device);
    const buffers = [4096, 8192, 4096, 65536].map(bytes => dma.alloc(bytes));
    let end = 0x10_0000n;
    for (const { iova, byteLength } of buffers) {
      assert.equal(iova, end);
      end = iova + BigInt(byteLength);
      assert.ok(ranges.some(({ start, last }) => iova >= start && end - 1n <= last));
    }
  });

  it('fills gaps that freed buffers left', () => {
    const [, second] = [dma.alloc(4096), dma.alloc(8192), dma.alloc(4096)];
    const { iova } = second;
    second.free();
    assert.equal(dma.alloc(4096).iova, iova);
    assert.equal(dma.alloc(4096).iova, iova + 4096n);
  });

  it('is aligned as asked, and large buffers to the larger page', () => {
    dma.alloc(4096);
    for (const align of [4096, 0x1_0000, 2 ** 21]) {
      assert.equal(dma.alloc(4096, { align }).iova % BigInt(align), 0n);
    }
    assert.equal(dma.alloc(2 ** 21).iova % 2n ** 21n, 0n);
    assert.equal(dma.alloc(4096, { align: 1 }).iova % 4096n, 0n, 'never less than a page');
  });

  it('is where it was asked to be, also at 0 and at the top', () => {
    for (const iova of [0n, 0x5000n, 0x1_0000_0000n, 2n ** 39n - 4096n, msiStart - 4096n, msiLast + 1n]) {
      assert.equal(dma.alloc(4096, { iova }).iova, iova);
    }
    assert.equal(dma.alloc(4096, { iova: 0x7000 }).iova, 0x7000n, 'a number will do');
    assert.equal(dma.buffers.length, 7);
    coversBy(edu.device, { iommufd: ['IOMMU_IOAS_MAP_FIXED_IOVA'] });
  });

  it('does not overlap what is there, and the error says what that is', () => {
    const taken = dma.alloc(0x4000, { iova: 0x20_0000n });
    const before = held();
    for (const [iova, bytes] of [
      [0x20_0000n, 0x1000],
      [0x20_3000n, 0x1000],
      [0x1f_f000n, 0x2000],
      [0x1f_0000n, 0x10_0000],
      [0x20_3000n, 0x10_0000],
    ] as const) {
      assert.throws(() => dma.alloc(bytes, { iova }), {
        code: 'EEXIST',
        message: /is mapped already.*by 0x200000-0x203fff.*free that buffer first/,
      });
    }
    assert.deepEqual(held(), before);
    dma.alloc(0x1000, { iova: 0x20_4000n });
    dma.alloc(0x1000, { iova: 0x1f_f000n });
    taken.free();
    dma.alloc(0x4000, { iova: 0x20_0000n });
  });

  it('is not in a reserved window nor beyond the IOMMU’s width, and the error says what is accepted', () => {
    const before = held();
    const ranges = iovaRangesOf(edu.device);
    const beyond = (ranges.at(-1)?.last ?? 0n) + 1n;
    const accepted = ranges.map(({ start, last }) => `0x${start.toString(16)}-0x${last.toString(16)}`);
    for (const [iova, bytes] of [
      [msiStart, 4096],
      [msiLast - 4095n, 4096],
      [msiStart - 4096n, 8192],
      ...(beyond < 2n ** 64n
        ? ([
            [beyond, 4096],
            [beyond - 4096n, 8192],
            [2n ** 64n - 4096n, 4096],
          ] as const)
        : []),
    ] as const) {
      assert.throws(() => dma.alloc(bytes, { iova }), {
        code: 'EINVAL',
        message: new RegExp(`The IOMMU does not accept IOVA 0x.*it accepts ${accepted.join(', ')}`),
      });
    }
    assert.deepEqual(held(), before);
  });

  it('is on a page, and within the bits the device drives', () => {
    const refused: [object, RegExp][] = [
      [{ iova: 1n }, /^options\.iova must be a multiple of the IOMMU's page size, 4096/],
      [{ iova: 0x1800 }, /^options\.iova must be a multiple/],
      [{ iova: -4096n }, /^options\.iova must be from 0 to 2\^64 - 1/],
      [{ iova: 1n << 64n }, /^options\.iova/],
      [
        { iova: 1n << 28n, addressBits: 28 },
        /^options\.iova must be such that all 4096 bytes lie below 2\^28/,
      ],
      [{ addressBits: 11 }, /^options\.addressBits/],
      [{ addressBits: 65 }, /^options\.addressBits/],
      [{ align: 3 }, /^options\.align must be a power of two/],
      [{ align: 0 }, /^options\.align/],
    ];
    for (const [options, message] of refused) {
      assert.throws(() => dma.alloc(4096, options), { code: 'ERR_OUT_OF_RANGE', message });
    }
    const [top, addressBits] = [(1n << 64n) - 4096n, 64];
    // As far as the checks of the library go that is a good one; some IOMMUs are as wide.
    if (iovaRangesOf(edu.device).some(({ last }) => last > top)) dma.alloc(4096, { iova: top, addressBits });
    else assert.throws(() => dma.alloc(4096, { iova: top, addressBits }), { code: 'EINVAL' });
  });

  it('runs out, and the error says what of it is there', () => {
    const before = held();
    // A device of 21 bits has one megabyte above the lowest, which is given only by address.
    const buffers = [1, 2, 3, 4].map(() => dma.alloc(2 ** 18, { addressBits: 21 }));
    assert.ok(buffers.every(({ iova }) => iova + 2n ** 18n <= 2n ** 21n));
    assert.throws(() => dma.alloc(4096, { addressBits: 21 }), {
      code: 'ERR_VFIO_NO_IOVA',
      message:
        /No free IOVA range of 4096 bytes, aligned to 4096, ends at or below 0x1fffff.*1048576 bytes are mapped/,
    });
    assert.throws(() => dma.alloc(2 ** 22, { addressBits: 22 }), { code: 'ERR_VFIO_NO_IOVA' });
    dma.alloc(4096, { addressBits: 22 });
    dma.freeAll();
    assert.deepEqual(held(), before);
  });
});
