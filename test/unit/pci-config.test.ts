import assert from 'node:assert/strict';
import type { PciConfig } from '../../lib/index.js';
import { At } from '../support/fake-device.js';
import { FakeKernel } from '../support/fake-kernel.js';

describe('PciConfig', () => {
  let kernel: FakeKernel;
  let opened: ReturnType<FakeKernel['open']>;
  let config: PciConfig;
  let bytes: DataView;

  beforeEach(() => {
    kernel = new FakeKernel();
    opened = kernel.open();
    ({ config } = opened.device);
    const region = kernel.devices.get('0000:03:00.0')?.regions[7];
    assert(region);
    bytes = new DataView(region.bytes.buffer);
    kernel.take();
  });
  afterEach(() => {
    opened.container.close();
    opened.group.close();
    kernel[Symbol.dispose]();
  });

  const offsets = (): (string | number)[][] =>
    config.capabilities().map(({ name, offset }) => [name, offset]);

  it('reads the header', () => {
    assert.deepEqual([config.vendorId, config.deviceId], [0x8086, 0x10d3]);
    assert.deepEqual([config.subsystemVendorId, config.subsystemId], [0x8086, 0xa01f]);
    assert.deepEqual([config.classCode, config.revision, config.status], [0x02_0000, 3, 0x10]);
    assert.deepEqual([config.barRegister(0), config.barRegister(2)], [0, 1]);
  });

  it('switches bus mastering and memory decoding, and nothing else of the command register', () => {
    bytes.setUint16(4, 0x0401, true);
    assert.deepEqual([config.busMaster, config.memoryDecoding], [false, false]);
    config.busMaster = true;
    assert.equal(config.command, 0x0405);
    config.memoryDecoding = true;
    assert.equal(config.command, 0x0407);
    config.busMaster = false;
    assert.deepEqual([config.command, config.busMaster, config.memoryDecoding], [0x0403, false, true]);
    opened.device.enableBusMaster();
    assert.equal(config.busMaster, true);
    opened.device.disableBusMaster();
    assert.equal(config.busMaster, false);
  });

  it('walks both capability lists', () => {
    assert.deepEqual(offsets(), [
      ['Power Management', At.power],
      ['MSI', At.msi],
      ['MSI-X', At.msix],
      ['PCI Express', At.pcie],
      ['Advanced Error Reporting', At.aer],
      ['Device Serial Number', At.serial],
    ]);
    const aer = config.findExtended(1);
    assert.deepEqual(aer, {
      id: 1,
      name: 'Advanced Error Reporting',
      offset: At.aer,
      extended: true,
      version: 2,
    });
    assert(Object.isFrozen(aer) && Object.isFrozen(config.capabilities()));
  });

  it('finds by id and by name', () => {
    assert.equal(config.find('MSI-X')?.offset, At.msix);
    assert.equal(config.find(0x11)?.offset, At.msix);
    assert.equal(config.find(0x42), undefined);
    assert.equal(config.findExtended('SR-IOV'), undefined);
    assert.equal(config.findExtended('Device Serial Number')?.offset, At.serial);
    assert.throws(() => config.find('MSIX'), {
      code: 'ERR_INVALID_ARG_VALUE',
      message: /^which must be an id or one of .*'MSI-X'/,
    });
    assert.throws(() => config.find('SR-IOV'), { code: 'ERR_INVALID_ARG_VALUE' }, 'that one is extended');
  });

  it('has a name for what it does not know', () => {
    bytes.setUint8(At.power, 0x42);
    assert.equal(config.capabilities()[0]?.name, 'capability 0x42');
  });

  it('finds nothing without a list', () => {
    bytes.setUint16(6, 0, true);
    bytes.setUint32(At.aer, 0, true);
    assert.deepEqual(offsets(), []);
    assert.equal(config.msixTable(), undefined);
  });

  it('ends at a loop, at a pointer into the header, and at a device that does not answer', () => {
    bytes.setUint8(At.msi + 1, At.power);
    assert.deepEqual(
      offsets()
        .slice(0, 3)
        .map(([name]) => name),
      ['Power Management', 'MSI', 'Advanced Error Reporting'],
    );
    bytes.setUint8(At.power + 1, 0x10);
    assert.equal(config.find('MSI'), undefined);
    for (let i = 0x40; i < 4096; i++) bytes.setUint8(i, 0xff);
    assert.deepEqual(offsets(), []);
  });

  it('ends at a loop of the extended list, and at its end', () => {
    bytes.setUint32(At.serial, ((At.aer << 20) | (1 << 16) | 3) >>> 0, true);
    assert.deepEqual(
      offsets()
        .slice(4)
        .map(([name]) => name),
      ['Advanced Error Reporting', 'Device Serial Number'],
    );
    bytes.setUint32(At.serial, ((0x80 << 20) | (1 << 16) | 3) >>> 0, true);
    assert.equal(config.findExtended('Device Serial Number')?.offset, At.serial);
    bytes.setUint32(At.aer, 0xffff_ffff, true);
    assert.equal(config.findExtended('Device Serial Number'), undefined);
  });

  it('passes over an entry that the kernel hides', () => {
    bytes.setUint32(At.aer, (At.serial << 20) >>> 0, true);
    assert.deepEqual(offsets().slice(4), [['Device Serial Number', At.serial]]);
  });

  it('stops where config space does: no extended list without PCI Express', () => {
    const region = kernel.devices.get('0000:03:00.0')?.regions[7];
    assert(region);
    opened.container.close();
    opened.group.close();
    region.bytes = region.bytes.slice(0, 256);
    opened = kernel.open();
    assert.equal(opened.device.config.capabilities().length, 4);
  });

  it('locates the MSI-X table, once', () => {
    assert.deepEqual(config.msixTable(), { bar: 3, offset: 0x2000, size: 80 });
    kernel.take();
    assert.deepEqual(config.msixTable()?.offset, 0x2000);
    assert.deepEqual(kernel.take(), []);
  });

  it('is a region', () => {
    assert.deepEqual([config.name, config.size, config.index], ['config', 4096, 7]);
    assert.equal(config.read16(0), 0x8086);
  });
});
