import assert from 'node:assert/strict';
import { devices } from '../../../lab/devices';
import { opened } from '../support/bound';
import { labSuite } from '../support/suite';

labSuite('accesses by system call are checked first', () => {
  const card = opened(devices.edu);

  it('refuses offsets beyond the region, unaligned ones and what is no offset', () => {
    const bar = card.device.bar(0);
    const expected = { name: 'RangeError', code: 'ERR_OUT_OF_RANGE', message: /^offset must be / };
    for (const offset of [0x10_0000, 0xf_fffe, 2 ** 40, 2 ** 53, 1, 2, -4, 1.5, NaN, Infinity]) {
      assert.throws(() => bar.read32(offset), expected, String(offset));
      assert.throws(() => bar.write32(offset, 0), expected, String(offset));
      assert.throws(() => card.device.config.read32(offset), expected, String(offset));
    }
    for (const offset of [4, 0xf_fffc]) assert.throws(() => bar.read64(offset), expected);
    bar.read32(0xf_fffc);
  });

  it('refuses values that do not fit the width, rather than cut them', () => {
    const bar = card.device.bar(0);
    const refused: [() => void, RegExp][] = [
      [() => bar.write8(4, 256), /value must be an integer from 0 to 255; got 256/],
      [() => bar.write8(4, -1), /value must be an integer from 0 to 255/],
      [() => bar.write16(4, 0x1_0000), /value must be an integer from 0 to 65535/],
      [() => bar.write32(4, 2 ** 32), /value must be an integer from -2147483648 to 4294967295/],
      [() => bar.write32(4, -(2 ** 31) - 1), /value/],
      [() => bar.write32(4, 0.5), /value/],
      [() => bar.write32(4, NaN), /value/],
      [() => bar.write64(0x80, -1n), /value must be from 0 to 2\^64 - 1/],
      [() => bar.write64(0x80, 1n << 64n), /value must be from 0 to 2\^64 - 1/],
    ];
    for (const [write, message] of refused) {
      assert.throws(write, { name: 'RangeError', code: 'ERR_OUT_OF_RANGE', message });
    }
  });

  it('refuses runs of bytes that reach over the end, and moves none of them', () => {
    const bar = card.device.bar(0);
    const bytes = new Uint8Array(8).fill(0xee);
    const over = {
      name: 'RangeError',
      code: 'ERR_OUT_OF_RANGE',
      message: /8 bytes at 0xffffc reach beyond BAR0/,
    };
    assert.throws(() => bar.read(0xf_fffc, bytes), over);
    assert.throws(() => bar.write(0xf_fffc, bytes), over);
    assert.throws(() => bar.read(0x10_0001, bytes), { code: 'ERR_OUT_OF_RANGE', message: /^offset/ });
    assert.throws(() => bar.read(-8, bytes), { code: 'ERR_OUT_OF_RANGE', message: /^offset/ });
    assert.ok(bytes.every(byte => byte === 0xee));
  });
});
