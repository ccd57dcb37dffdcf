import assert from 'node:assert/strict';
import { decodeRegionInfo, mappableAreas } from '../../lib/region-info.js';
import { embedded, struct, truncations } from '../support/struct.js';

const raw = { flags: 0, size: 0x1_0000, fileOffset: 2 ** 40, capabilities: [] };
const sparse = (data: Uint8Array) => ({ id: 1, version: 1, data: embedded(data) });

describe('region info', () => {
  it('decodes flags and places', () => {
    const info = decodeRegionInfo(1, { ...raw, flags: 5 });
    assert.deepEqual(
      [info.index, info.size, info.fileOffset, info.readable, info.writable, info.mappable],
      [1, 0x1_0000, 2 ** 40, true, false, true],
    );
    assert.deepEqual(
      [info.sparseAreas, info.type, info.msixMappable, info.unknown],
      [undefined, undefined, false, []],
    );
    assert(Object.isFrozen(info));
  });

  it('decodes the capabilities', () => {
    const capabilities = [
      sparse(struct(2, 0, 0x2000n, 0x1000n, 0n, 0x800n)),
      { id: 2, version: 1, data: struct(0x8000_8086, 1) },
      { id: 3, version: 1, data: new Uint8Array(0) },
      { id: 99, version: 7, data: struct(5) },
    ];
    const info = decodeRegionInfo(9, { ...raw, flags: 7, capabilities });
    assert.deepEqual(info.sparseAreas, [
      { offset: 0, size: 0x800 },
      { offset: 0x2000, size: 0x1000 },
    ]);
    assert.deepEqual(info.type, { type: 0x8000_8086, subtype: 1 });
    assert.equal(info.msixMappable, true);
    assert.deepEqual(info.unknown, [{ id: 99, version: 7, data: struct(5) }]);
    for (const frozen of [info.sparseAreas, info.sparseAreas[0], info.type, info.unknown])
      assert(Object.isFrozen(frozen));
  });

  it('takes no more areas than there are bytes for', () => {
    const whole = struct(3, 0, 0n, 0x1000n, 0x2000n, 0x1000n, 0x4000n, 0x1000n);
    for (const data of truncations(whole)) {
      const { sparseAreas = [] } = decodeRegionInfo(0, { ...raw, flags: 7, capabilities: [sparse(data)] });
      assert.equal(sparseAreas.length, data.length < 24 ? 0 : (data.length - 8) >> 4, `${data.length} bytes`);
    }
    const claims = decodeRegionInfo(0, { ...raw, capabilities: [sparse(struct(0xffff_ffff, 0, 0n, 1n))] });
    assert.equal(claims.sparseAreas?.length, 1);
  });

  it('leaves out empty areas', () => {
    const { sparseAreas } = decodeRegionInfo(0, {
      ...raw,
      capabilities: [sparse(struct(2, 0, 0n, 0n, 0x1000n, 0x1000n))],
    });
    assert.deepEqual(sparseAreas, [{ offset: 0x1000, size: 0x1000 }]);
  });

  it('reads a truncated type as zeroes', () => {
    const { type } = decodeRegionInfo(9, { ...raw, capabilities: [{ id: 2, version: 1, data: struct(5) }] });
    assert.deepEqual(type, { type: 5, subtype: 0 });
  });
});

describe('mappable areas', () => {
  const page = 4096;
  const info = (flags: number, ...capabilities: { id: number; version: number; data: Uint8Array }[]) =>
    decodeRegionInfo(3, { ...raw, flags, capabilities });
  const table = (offset: number, size: number) => ({ offset, size });

  it('are the whole region without an MSI-X table', () => {
    assert.deepEqual(mappableAreas(info(7), undefined, page), [{ offset: 0, size: 0x1_0000 }]);
  });

  it('are none without the flag, or without bytes', () => {
    assert.deepEqual(mappableAreas(info(3), undefined, page), []);
    assert.deepEqual(mappableAreas(decodeRegionInfo(3, { ...raw, flags: 7, size: 0 }), undefined, page), []);
  });

  it('leave out the pages of the MSI-X table', () => {
    assert.deepEqual(mappableAreas(info(7), table(0x2000, 80), page), [
      { offset: 0, size: 0x2000 },
      { offset: 0x3000, size: 0xd000 },
    ]);
    assert.deepEqual(mappableAreas(info(7), table(0x2ff0, 0x20), page), [
      { offset: 0, size: 0x2000 },
      { offset: 0x4000, size: 0xc000 },
    ]);
    assert.deepEqual(mappableAreas(info(7), table(0, 16), page), [{ offset: 0x1000, size: 0xf000 }]);
    assert.deepEqual(mappableAreas(info(7), table(0xf800, 0x800), page), [{ offset: 0, size: 0xf000 }]);
    assert.deepEqual(mappableAreas(info(7), table(0, 0x1_0000), page), []);
    assert.deepEqual(mappableAreas(info(7), table(0x2000, 80), 0x1_0000), [], 'with pages of 64 KiB');
  });

  it('include the table where the kernel says so', () => {
    const mappable = info(7, { id: 3, version: 1, data: new Uint8Array(0) });
    assert.deepEqual(mappableAreas(mappable, table(0x2000, 80), page), [{ offset: 0, size: 0x1_0000 }]);
  });

  it('are what the kernel lists, where it does', () => {
    const listed = info(7, sparse(struct(1, 0, 0x3000n, 0x5000n)));
    assert.deepEqual(mappableAreas(listed, table(0x2000, 80), page), [{ offset: 0x3000, size: 0x5000 }]);
    assert.deepEqual(mappableAreas(info(7, sparse(struct(0, 0))), undefined, page), []);
  });
});
