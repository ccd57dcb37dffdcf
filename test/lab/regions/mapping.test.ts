import assert from 'node:assert/strict';
import { devices } from '../../../lab/devices';
import { covers } from '../../support/covers';
import { opened } from '../support/bound';
import { held } from '../support/held';
import { Reg } from '../support/nic';
import { labSuite } from '../support/suite';

labSuite('mapping a region', () => {
  const nic = opened(devices.nicA);
  const edu = opened(devices.edu);

  it('maps all of it, or a part; offsets count from where the part starts', () => {
    const bar = nic.device.bar(0);
    using whole = bar.map();
    assert.deepEqual([whole.offset, whole.size, whole.region], [0, bar.size, bar]);
    using part = bar.map({ offset: 0x5000, size: 0x1000 });
    assert.deepEqual([part.offset, part.size], [0x5000, 0x1000]);
    part.write32(Reg.MTA - 0x5000, 0xabcd);
    assert.equal(whole.read32(Reg.MTA), 0xabcd);
    using rest = bar.map({ offset: 0x5000 });
    assert.equal(rest.size, bar.size - 0x5000);
    assert.equal(rest.read32(Reg.MTA - 0x5000), 0xabcd);
    using odd = bar.map({ offset: 0, size: 10 });
    assert.equal(odd.size, 10, 'a size need not be whole pages');
    assert.equal(odd.read32(4), bar.read32(4));
    assert.throws(() => odd.read32(8), { code: 'ERR_OUT_OF_RANGE' });
    assert.equal(part.buffer.byteLength, 0x1000);
    covers('VFIO_REGION_INFO_FLAG_MMAP', 'VFIO_PCI_BAR0_REGION_INDEX');
  });

  it('refuses accesses beyond it, unaligned ones and what is no offset', () => {
    using mapping = nic.device.bar(0).map({ size: 0x1000 });
    const range = (...offsets: number[]): void => {
      for (const offset of offsets) {
        const expected = { name: 'RangeError', code: 'ERR_OUT_OF_RANGE', message: /^offset must be / };
        assert.throws(() => mapping.read32(offset), expected, String(offset));
        assert.throws(() => mapping.write32(offset, 0), expected, String(offset));
      }
    };
    range(0x1000, 0xffd, 0xffe, 0x1004, 2 ** 31, 2 ** 32, 2 ** 53);
    range(1, 2, 3, 0xffa, -4, -1, 0.5, NaN, Infinity, -Infinity);
    assert.throws(() => mapping.read16(1), { code: 'ERR_OUT_OF_RANGE', message: /multiple of 2/ });
    assert.throws(() => mapping.read64(4), { code: 'ERR_OUT_OF_RANGE', message: /multiple of 8/ });
    assert.throws(() => mapping.read64(0x1000 - 4), { code: 'ERR_OUT_OF_RANGE' });
    assert.throws(() => mapping.read8(0x1000), { code: 'ERR_OUT_OF_RANGE' });
    mapping.read8(0xfff);
    mapping.read32(0xffc);
    assert.equal(mapping.read32(-0), mapping.read32(0));
  });

  it('refuses parts that are not there', () => {
    const bar = nic.device.bar(0);
    const refused: [object, RegExp][] = [
      [{ offset: 1 }, /options\.offset must be a multiple of the page size, 4096; got 1/],
      [{ offset: 2048 }, /options\.offset must be a multiple/],
      [{ offset: 0x20000 }, /options\.offset must be an integer from 0 to 131071/],
      [{ offset: -4096 }, /options\.offset/],
      [{ size: 0 }, /options\.size must be an integer from 1 to 131072; got 0/],
      [{ offset: 0x1000, size: 0x20000 }, /options\.size must be an integer from 1 to 126976/],
      [{ size: 1.5 }, /options\.size/],
    ];
    for (const [options, message] of refused) {
      assert.throws(() => bar.map(options), { name: 'RangeError', code: 'ERR_OUT_OF_RANGE', message });
    }
  });

  it('maps for reading only when told to', () => {
    using mapping = nic.device.bar(0).map({ writable: false });
    const before = mapping.read32(Reg.MTA);
    const readOnly = {
      code: 'ERR_VFIO_UNSUPPORTED',
      message: /mapping of BAR0 of 0000:01:00\.0 is read-only/,
    };
    assert.throws(() => mapping.write32(Reg.MTA, 1), readOnly);
    assert.throws(() => mapping.write8(Reg.MTA, 1), readOnly);
    assert.throws(() => mapping.write16(Reg.MTA, 1), readOnly);
    assert.throws(() => mapping.write64(Reg.MTA, 1n), readOnly);
    assert.equal(mapping.read32(Reg.MTA), before);
    assert.throws(() => mapping.buffer, { message: /read-only/ });
  });

  it('as an ArrayBuffer shows the same registers', () => {
    using mapping = edu.device.bar(0).map();
    const raw = new Uint32Array(mapping.buffer);
    assert.equal(mapping.buffer, mapping.buffer);
    assert.equal(raw[0], 0x0100_00ed);
    raw[1] = 5;
    assert.equal(mapping.read32(4), ~5 >>> 0);
  });

  it('ends by itself or with its scope; the device and its other mappings go on', () => {
    const before = held();
    const bar = edu.device.bar(0);
    const first = bar.map();
    const second = bar.map();
    first.close();
    first.close();
    first[Symbol.dispose]();
    assert.deepEqual([first.closed, second.closed], [true, false]);
    assert.throws(() => first.read32(0), {
      code: 'ERR_VFIO_CLOSED',
      message: /mapping of BAR0 of 0000:04:00\.0 is closed/,
    });
    assert.throws(() => first.write32(0, 0), { code: 'ERR_VFIO_CLOSED' });
    assert.throws(() => first.buffer, { code: 'ERR_VFIO_CLOSED' });
    assert.equal(second.read32(0), 0x0100_00ed);
    second.close();
    assert.deepEqual(held(), before);
  });
});
