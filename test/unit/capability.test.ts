import assert from 'node:assert/strict';
import { findCapability, StructReader, unknownCapabilities } from '../../lib/capability.js';
import { embedded, struct } from '../support/struct.js';

describe('capability chains', () => {
  const chain = [
    { id: 7, version: 1, data: struct(1) },
    { id: 3, version: 2, data: struct(2, 3n) },
    { id: 7, version: 3, data: struct(4) },
  ];

  it('finds the first of an id', () => {
    assert.equal(findCapability(chain, 7)?.u32(0), 1);
    assert.equal(findCapability(chain, 3)?.u64(4), 3n);
    assert.equal(findCapability(chain, 9), undefined);
    assert.equal(findCapability([], 7), undefined);
  });

  it('keeps what it does not know as it came', () => {
    assert.deepEqual(unknownCapabilities(chain, [7]), [chain[1]]);
    assert.deepEqual(unknownCapabilities(chain, []), chain);
    for (const one of unknownCapabilities(chain, [])) assert(Object.isFrozen(one));
  });

  it('reads little-endian numbers at any address', () => {
    const reader = new StructReader(embedded(struct(0x8765_4321, 0xfedc_ba98_7654_3210n)));
    assert.equal(reader.u32(0), 0x8765_4321);
    assert.equal(reader.u64(4), 0xfedc_ba98_7654_3210n);
    assert.equal(reader.u32(4), 0x7654_3210);
  });

  it('reads zeroes where the kernel gave less', () => {
    const reader = new StructReader(embedded(struct(0xffff_ffff, 0xffff_ffff)));
    assert.equal(reader.u32(8), 0);
    assert.equal(reader.u32(5), 0);
    assert.equal(reader.u64(1), 0n);
    assert.equal(reader.u64(0), 0xffff_ffff_ffff_ffffn);
    assert.equal(new StructReader(new Uint8Array(0)).u32(0), 0);
  });
});
