import assert from 'node:assert/strict';
import { type Device, type Region, RegionIndex } from '../../lib/index.js';
import { type FakeDevice, RegionFlag } from '../support/fake-device.js';
import { FakeKernel } from '../support/fake-kernel.js';
import { struct } from '../support/struct.js';

describe('Region', () => {
  let kernel: FakeKernel;
  let opened: ReturnType<FakeKernel['open']>;
  let device: Device;
  let bar: Region;

  const open = (change: (device: FakeDevice) => void = () => undefined): void => {
    const fake = kernel.devices.get('0000:03:00.0');
    assert(fake);
    change(fake);
    opened = kernel.open();
    ({ device } = opened);
    bar = device.bar(0);
    kernel.take();
  };
  beforeEach(() => {
    kernel = new FakeKernel();
  });
  afterEach(() => {
    opened.container.close();
    opened.group.close();
    kernel[Symbol.dispose]();
  });

  it('has the names and places of the kernel', () => {
    open(({ info, regions, irqs }) => {
      info.regionCount = 10;
      info.irqCount = irqs.length;
      regions.push({
        flags: RegionFlag.read,
        bytes: new Uint8Array(4096),
        capabilities: [{ id: 2, version: 1, data: struct(1, 2) }],
      });
    });
    assert.deepEqual(
      device.regions.map(region => region.name),
      ['BAR0', 'BAR1', 'BAR2', 'BAR3', 'BAR4', 'BAR5', 'ROM', 'config', 'VGA', 'region 9'],
    );
    assert.deepEqual([device.rom.index, device.config.index, device.vga.index], [6, 7, 8]);
    assert.equal(device.region(RegionIndex.Rom), device.rom);
    assert.deepEqual([bar.size, bar.address, bar.closed], [0x4000, '0000:03:00.0', false]);
    assert.deepEqual(device.region(9).info.type, { type: 1, subtype: 2 });
    assert.throws(() => device.region(10), { code: 'ERR_OUT_OF_RANGE' });
  });

  it('knows I/O ports from memory', () => {
    open();
    assert.deepEqual(
      device.regions.map(region => region.ioPort),
      [false, false, true, ...Array<boolean>(6).fill(false)],
    );
  });

  it('reads and writes every width, little-endian', () => {
    open();
    bar.write64(8, 0x8877_6655_4433_2211n);
    assert.deepEqual([bar.read8(8), bar.read8(15)], [0x11, 0x88]);
    assert.deepEqual([bar.read16(10), bar.read32(12)], [0x4433, 0x8877_6655]);
    assert.equal(bar.read64(8), 0x8877_6655_4433_2211n);
    bar.write8(8, 0xff);
    bar.write16(10, 0xabcd);
    bar.write32(12, -1);
    assert.equal(bar.read64(8), 0xffff_ffff_abcd_22ffn);
    bar.write32(12, 0xffff_fffe);
    assert.equal(bar.read32(12), 0xffff_fffe, 'unsigned');
  });

  it('makes one call an access', () => {
    open();
    bar.read32(4);
    bar.write16(2, 5);
    assert.deepEqual(kernel.take(), ['regionRead 4 4', 'regionWrite 2 2 5']);
    device.bar(3).read8(1);
    assert.deepEqual(kernel.take(), [`regionRead ${3 * 2 ** 40 + 1} 1`]);
  });

  it('reads and writes many bytes', () => {
    open();
    assert.equal(bar.write(3, Buffer.from('hello')), 5);
    const target = new Uint8Array(7);
    assert.equal(bar.read(2, target), 7);
    assert.deepEqual(Buffer.from(target).toString(), '\0hello\0');
    assert.equal(bar.read(0x4000, new Uint8Array(0)), 0);
    const beyond = {
      code: 'ERR_OUT_OF_RANGE',
      message: '2 bytes at 0x3fff reach beyond BAR0, which has 16384 bytes',
    };
    assert.throws(() => bar.read(0x3fff, new Uint8Array(2)), beyond);
    assert.throws(() => bar.write(0x3fff, new Uint8Array(2)), beyond);
  });

  it('stays inside, and aligned', () => {
    open();
    assert.throws(() => bar.read32(0x4000), {
      code: 'ERR_OUT_OF_RANGE',
      message: /^offset must be an integer from 0 to 16380/,
    });
    assert.throws(() => bar.read32(2), {
      code: 'ERR_OUT_OF_RANGE',
      message: /^offset must be a multiple of 4; got 2/,
    });
    assert.throws(() => bar.read64(0x3ffc), { code: 'ERR_OUT_OF_RANGE' });
    assert.throws(() => device.bar(1).read8(0), {
      code: 'ERR_OUT_OF_RANGE',
      message: /inside BAR1, which has 0 bytes/,
    });
    assert.throws(() => bar.write8(0, 256), {
      code: 'ERR_OUT_OF_RANGE',
      message: /^value must be an integer from 0 to 255/,
    });
    assert.deepEqual(kernel.take(), []);
  });

  it('says that a device does not answer', () => {
    open();
    kernel.fail('regionRead', 'EIO');
    assert.throws(() => bar.read32(0x10), {
      name: 'VfioError',
      code: 'EIO',
      syscall: 'pread',
      address: '0000:03:00.0',
      message: /^Reading BAR0 at 0x10 failed.*does not answer: memory decoding is off/,
    });
    kernel.fail('regionWrite', 'EINVAL');
    assert.throws(() => device.rom.write8(0, 0), {
      code: 'ERR_VFIO_UNSUPPORTED',
      message: /ROM of .* cannot be written/,
    });
  });

  describe('map', () => {
    it('takes the whole by default, or a part', () => {
      open();
      using whole = bar.map();
      assert.deepEqual([whole.offset, whole.size, whole.region], [0, 0x4000, bar]);
      using part = bar.map({ offset: 0x1000, size: 0x800 });
      part.write32(0, 7);
      assert.deepEqual([part.offset, part.size, whole.read32(0x1000)], [0x1000, 0x800, 7]);
      assert.deepEqual(kernel.take('barMap'), ['barMap 0 16384 [e] true', 'barMap 4096 2048 [e] true']);
    });

    it('leaves a hole around the MSI-X table on kernels that refuse it', () => {
      open();
      const tableBar = device.bar(3);
      assert.deepEqual(tableBar.areas, [
        { offset: 0, size: 0x2000 },
        { offset: 0x3000, size: 0x1000 },
      ]);
      using mapping = tableBar.map();
      assert.equal(mapping.read32(0x1ffc), 0);
      assert.equal(mapping.read32(0x3000), 0);
      assert.throws(() => mapping.read32(0x2000), {
        name: 'RangeError',
        code: 'ERR_OUT_OF_RANGE',
        message:
          /^offset 0x2000 lies in a part of BAR3 that the kernel does not let be mapped; mapped: 0x0-0x1fff, 0x3000-0x3fff/,
      });
      assert.equal(tableBar.read32(0x2000), 0, 'by system call it is reached');
      assert.throws(() => tableBar.map({ offset: 0x2000, size: 0x1000 }), {
        code: 'ERR_VFIO_UNSUPPORTED',
        message: /^Nothing of 0x2000-0x2fff of BAR3 can be mapped.*0x0-0x1fff, 0x3000-0x3fff/,
      });
      using across = tableBar.map({ offset: 0x1000, size: 0x3000 });
      assert.equal(across.read32(0x2000), 0, 'counted from the start of the mapping');
      assert.throws(() => across.read32(0x1000), { code: 'ERR_OUT_OF_RANGE' });
    });

    it('maps the table along where the kernel allows it', () => {
      open(({ regions }) => regions[3]?.capabilities.push({ id: 3, version: 1, data: new Uint8Array(0) }));
      assert.deepEqual(device.bar(3).areas, [{ offset: 0, size: 0x4000 }]);
    });

    it('keeps to the areas the kernel lists', () => {
      const listed = struct(2, 0, 0x1000n, 0x1000n, 0x3000n, 0x1000n);
      open(({ regions }) => regions[0]?.capabilities.push({ id: 1, version: 1, data: listed }));
      using mapping = bar.map();
      assert.equal(mapping.read8(0x1000), 0);
      for (const offset of [0, 0x2fff])
        assert.throws(() => mapping.read8(offset), { code: 'ERR_OUT_OF_RANGE' });
    });

    it('says why something cannot be mapped', () => {
      open();
      const unsupported = (message: RegExp) => ({ name: 'VfioError', code: 'ERR_VFIO_UNSUPPORTED', message });
      assert.throws(() => device.bar(1).map(), unsupported(/^0000:03:00.0 has no BAR1/));
      assert.throws(
        () => device.bar(2).map(),
        unsupported(/^BAR2 of .* cannot be mapped: it is in I\/O port space/),
      );
      assert.throws(
        () => device.config.map(),
        unsupported(/^config of .* cannot be mapped.*read and write methods/),
      );
      assert.throws(() => device.rom.map(), unsupported(/^ROM of/));
      assert.throws(() => bar.map({ offset: 0x800 }), {
        code: 'ERR_OUT_OF_RANGE',
        message: /page size, 4096; got 2048/,
      });
      assert.throws(() => bar.map({ offset: 0x1000, size: 0x3001 }), {
        code: 'ERR_OUT_OF_RANGE',
        message: /from 1 to 12288/,
      });
      kernel.fail('barMap', 'ENOMEM');
      assert.throws(() => bar.map(), {
        code: 'ENOMEM',
        syscall: 'mmap',
        message: /^Mapping BAR0 at 0x0 failed/,
      });
    });

    it('can be for reading only', () => {
      open(({ regions }) => ((regions[3] as { flags: number }).flags = RegionFlag.read | RegionFlag.mmap));
      using mapping = bar.map({ writable: false });
      assert.equal(mapping.read32(0), 0);
      const readOnly = { code: 'ERR_VFIO_UNSUPPORTED', message: /mapping of BAR0 of .* is read-only/ };
      assert.throws(() => mapping.write32(0, 1), readOnly);
      assert.throws(() => mapping.write64(0, 1n), readOnly);
      using implied = device.bar(3).map();
      assert.throws(() => implied.write8(0, 1), { code: 'ERR_VFIO_UNSUPPORTED' });
      assert.throws(() => device.bar(3).map({ writable: true }), { message: /^BAR3 of .* is read-only/ });
    });
  });

  it('refuses everything when the device is closed', () => {
    open();
    const mapping = bar.map();
    device.closeSync();
    const closed = { name: 'VfioError', code: 'ERR_VFIO_CLOSED' };
    for (const [name, action] of Object.entries({
      read8: () => bar.read8(0),
      read64: () => bar.read64(0),
      write32: () => bar.write32(0, 0),
      write64: () => bar.write64(0, 0n),
      read: () => bar.read(0, new Uint8Array(1)),
      write: () => bar.write(0, new Uint8Array(1)),
      map: () => bar.map(),
      ioeventfd: () => bar.ioeventfd(0, 32, 0),
      'mapping.buffer': () => mapping.buffer,
      busMaster: () => device.config.busMaster,
    })) {
      assert.throws(action, closed, name);
    }
    assert.deepEqual([bar.closed, mapping.closed, bar.size], [true, true, 0x4000]);
    mapping.close();
  });
});
