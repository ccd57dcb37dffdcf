import assert from 'node:assert/strict';
import type { Mapping } from '../../lib/index.js';
import { FakeKernel } from '../support/fake-kernel.js';

describe('Mapping', () => {
  let kernel: FakeKernel;
  let opened: ReturnType<FakeKernel['open']>;
  let mapping: Mapping;

  beforeEach(() => {
    kernel = new FakeKernel();
    opened = kernel.open();
    mapping = opened.device.bar(0).map();
  });
  afterEach(() => {
    opened.container.close();
    opened.group.close();
    kernel[Symbol.dispose]();
  });

  it('reads and writes every width, little-endian, without a system call', () => {
    kernel.take();
    mapping.write64(8, 0x8877_6655_4433_2211n);
    assert.deepEqual([mapping.read8(8), mapping.read16(10), mapping.read32(12)], [0x11, 0x4433, 0x8877_6655]);
    assert.equal(mapping.read64(8), 0x8877_6655_4433_2211n);
    mapping.write8(8, 0xff);
    mapping.write16(10, 0xabcd);
    mapping.write32(12, 0xffff_fffe);
    assert.equal(mapping.read64(8), 0xffff_fffe_abcd_22ffn);
    assert.deepEqual(kernel.take(), []);
  });

  it('stays inside, and aligned', () => {
    const range = (message: RegExp) => ({ name: 'RangeError', code: 'ERR_OUT_OF_RANGE', message });
    assert.throws(
      () => mapping.read32(0x4000),
      range(/^offset must be an integer from 0 to 16380; got 16384/),
    );
    assert.throws(() => mapping.read16(-2), range(/^offset must be an integer from 0 to 16382/));
    assert.throws(() => mapping.write32(0x3ffe, 0), range(/^offset must be an integer from 0 to 16380/));
    assert.throws(() => mapping.read64(4), range(/^offset must be a multiple of 8/));
    assert.throws(() => mapping.write16(1, 0), range(/^offset must be a multiple of 2/));
  });

  it('closes once, and then refuses', () => {
    mapping.close();
    mapping.close();
    mapping[Symbol.dispose]();
    const closed = { code: 'ERR_VFIO_CLOSED', message: 'The mapping of BAR0 of 0000:03:00.0 is closed' };
    assert.equal(mapping.closed, true);
    for (const action of [
      () => mapping.read8(0),
      () => mapping.read64(0),
      () => mapping.write32(0, 0),
      () => mapping.write64(0, 0n),
      () => mapping.buffer,
    ]) {
      assert.throws(action, closed);
    }
    assert.equal(kernel.take('barUnmap').length, 1);
    assert.equal(opened.device.bar(0).read32(0), 0, 'the device stays open');
  });
});
