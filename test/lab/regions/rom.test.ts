import assert from 'node:assert/strict';
import { devices } from '../../../lab/devices';
import { covers } from '../../support/covers';
import { opened } from '../support/bound';
import { labSuite } from '../support/suite';

labSuite('the expansion ROM', () => {
  const nic = opened(devices.nicA);
  const edu = opened(devices.edu);

  it('is read: signature, and the PCI data structure of this device', () => {
    const { rom } = nic.device;
    assert.equal(rom.read16(0), 0xaa55);
    const image = Buffer.alloc(rom.size);
    assert.equal(rom.read(0, image), rom.size);
    const data = image.readUInt16LE(0x18);
    assert.equal(image.toString('latin1', data, data + 4), 'PCIR');
    assert.deepEqual([image.readUInt16LE(data + 4), image.readUInt16LE(data + 6)], [0x8086, 0x10d3]);
    assert.equal(rom.read32(data), image.readUInt32LE(data));
    covers('VFIO_PCI_ROM_REGION_INDEX');
  });

  it('is neither written nor mapped', () => {
    const { rom } = nic.device;
    assert.equal(rom.info.writable, false);
    const first = rom.read32(0);
    assert.throws(() => rom.write32(0, 0), {
      code: 'ERR_VFIO_UNSUPPORTED',
      message: /ROM of 0000:01:00\.0 cannot be written/,
    });
    assert.throws(() => rom.write(0, new Uint8Array(4)), { code: 'ERR_VFIO_UNSUPPORTED' });
    assert.equal(rom.read32(0), first);
    assert.throws(() => rom.map(), { code: 'ERR_VFIO_UNSUPPORTED', message: /ROM .*cannot be mapped/ });
  });

  it('may be missing, like any region', () => {
    const { rom, vga } = edu.device;
    assert.deepEqual([rom.size, vga.size], [0, 0]);
    for (const missing of [rom, vga, edu.device.bar(1)]) {
      assert.throws(() => missing.read8(0), { code: 'ERR_OUT_OF_RANGE', message: /has 0 bytes/ });
      assert.throws(() => missing.write8(0, 0), { code: 'ERR_OUT_OF_RANGE' });
      assert.throws(() => missing.map(), { code: 'ERR_VFIO_UNSUPPORTED', message: /0000:04:00\.0 has no / });
    }
  });
});
