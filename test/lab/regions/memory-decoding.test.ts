import assert from 'node:assert/strict';
import { Device } from 'vfio';
import { devices } from '../../../lab/devices';
import { bound } from '../support/bound';
import { Edu } from '../support/edu';
import { labSuite } from '../support/suite';

const ID = 0x0100_00ed;

labSuite('while memory decoding is off', () => {
  bound(devices.edu);
  let device: Device;
  beforeEach(async () => {
    device = await Device.open(devices.edu);
  });
  afterEach(() => device.close());

  it('mapped registers read all-ones and take writes without effect, and the process lives on', () => {
    const mapping = device.bar(0).map();
    const raw = new Uint32Array(mapping.buffer);
    device.config.memoryDecoding = false;
    assert.equal(device.config.memoryDecoding, false);
    assert.equal(mapping.read32(Edu.ID), 0xffff_ffff);
    assert.equal(mapping.read8(Edu.ID), 0xff);
    assert.equal(mapping.read16(Edu.ID), 0xffff);
    assert.equal(mapping.read64(0x80), 0xffff_ffff_ffff_ffffn);
    mapping.write32(Edu.FACTORIAL, 5);
    assert.equal(raw[0], 0xffff_ffff);
    assert.equal(raw[raw.length - 1], 0xffff_ffff);
    assert.equal(mapping.closed, false);
  });

  it('a write is as harmless as a read when it comes first', () => {
    const mapping = device.bar(0).map();
    device.config.memoryDecoding = false;
    mapping.write32(Edu.LIVENESS, 5);
    assert.equal(mapping.read32(Edu.ID), 0xffff_ffff);
  });

  it('system calls answer EIO, and the error says what is the matter', () => {
    const bar = device.bar(0);
    device.config.memoryDecoding = false;
    const dead = {
      code: 'EIO',
      address: devices.edu,
      message: /memory decoding is off.*config\.memoryDecoding = true/,
    };
    assert.throws(() => bar.read32(Edu.ID), { ...dead, syscall: 'pread' });
    assert.throws(() => bar.read64(0x80), { ...dead, syscall: 'pread' });
    assert.throws(() => bar.write32(Edu.LIVENESS, 1), { ...dead, syscall: 'pwrite' });
    assert.equal(device.config.vendorId, 0x1234, 'config space answers');
    device.config.memoryDecoding = true;
    assert.equal(bar.read32(Edu.ID), ID);
  });

  it('a new mapping works as soon as it is on again', () => {
    const before = device.bar(0).map();
    device.config.memoryDecoding = false;
    before.read32(Edu.ID);
    device.config.memoryDecoding = true;
    using mapping = device.bar(0).map();
    assert.equal(mapping.read32(Edu.ID), ID);
    before.close();
    assert.equal(mapping.read32(Edu.ID), ID);
  });

  it('a device closes and opens as ever, with its mapping dead', async () => {
    const mapping = device.bar(0).map();
    device.config.memoryDecoding = false;
    assert.equal(mapping.read32(Edu.ID), 0xffff_ffff);
    await device.close();
    assert.throws(() => mapping.read32(Edu.ID), { code: 'ERR_VFIO_CLOSED' });
    device = await Device.open(devices.edu);
    assert.equal(device.config.memoryDecoding, true);
    assert.equal(device.bar(0).map().read32(Edu.ID), ID);
  });
});
