import assert from 'node:assert/strict';
import { decodeIommuInfo } from '../../lib/iommu-info.js';
import type { RawCapability } from '../../lib/native.js';
import { embedded, struct, truncations } from '../support/struct.js';

const decode = (...capabilities: RawCapability[]) =>
  decodeIommuInfo({ flags: 3, pageSizes: 0x4020_1000n, capabilities });
const ranges = (data: Uint8Array): RawCapability => ({ id: 1, version: 1, data: embedded(data) });

describe('IOMMU info', () => {
  it('lists the page sizes, smallest first', () => {
    assert.deepEqual(decode().pageSizes, [0x1000n, 0x20_0000n, 0x4000_0000n]);
    const every = decodeIommuInfo({ flags: 1, pageSizes: 0xffff_ffff_ffff_f000n, capabilities: [] });
    assert.deepEqual(
      [every.pageSizes.length, every.pageSizes[0], every.pageSizes.at(-1)],
      [52, 0x1000n, 1n << 63n],
    );
    assert.deepEqual(decodeIommuInfo({ flags: 0, pageSizes: 0n, capabilities: [] }).pageSizes, []);
  });

  it('lists the valid ranges', () => {
    const { iovaRanges } = decode(ranges(struct(2, 0, 0n, 0xfedf_ffffn, 0xfef0_0000n, 0x7f_ffff_ffffn)));
    assert.deepEqual(iovaRanges, [
      { start: 0n, last: 0xfedf_ffffn },
      { start: 0xfef0_0000n, last: 0x7f_ffff_ffffn },
    ]);
  });

  it('takes the whole space where the kernel says nothing', () => {
    assert.deepEqual(decode().iovaRanges, [{ start: 0n, last: 0xffff_ffff_ffff_ffffn }]);
  });

  it('takes no more ranges than there are bytes for', () => {
    for (const data of truncations(struct(2, 0, 0n, 1n, 2n, 3n))) {
      assert.equal(decode(ranges(data)).iovaRanges.length, data.length < 24 ? 0 : 1, `${data.length} bytes`);
    }
    assert.equal(decode(ranges(struct(0xffff_ffff, 0, 0n, 1n))).iovaRanges.length, 1);
  });

  it('decodes the budget and dirty tracking', () => {
    const info = decode(
      { id: 3, version: 1, data: struct(65_533) },
      { id: 2, version: 1, data: struct(0, 0, 0x1000n, 0x1000_0000n) },
      { id: 42, version: 1, data: struct(1) },
    );
    assert.equal(info.mappingsAvailable, 65_533);
    assert.deepEqual(info.migration, { pageSizes: [0x1000n], maxBitmapBytes: 0x1000_0000n });
    assert.deepEqual(
      info.unknown.map(one => one.id),
      [42],
    );
    const bare = decode();
    assert.deepEqual([bare.mappingsAvailable, bare.migration], [undefined, undefined]);
    assert.deepEqual(decode({ id: 2, version: 1, data: struct(0) }).migration, {
      pageSizes: [],
      maxBitmapBytes: 0n,
    });
  });

  it('is frozen', () => {
    const info = decode(ranges(struct(1, 0, 0n, 1n)), { id: 2, version: 1, data: new Uint8Array(24) });
    const parts = [info, info.pageSizes, info.iovaRanges, info.iovaRanges[0], info.migration, info.unknown];
    for (const part of parts) assert(Object.isFrozen(part));
  });
});
