import assert from 'node:assert/strict';
import type { Mapping, Region } from 'vfio';
import { devices } from '../../../lab/devices';
import { covers } from '../../support/covers';
import { opened } from '../support/bound';
import { Reg } from '../support/nic';
import { labSuite } from '../support/suite';

/**
 * pci-testdev takes accesses of every width: its BAR begins with a header that names the test it runs and counts the
 * writes that matched. Other devices here want 32 bits.
 */
const testdev = { test: 0, width: 1, offset: 4, data: 8, count: 12, name: 16 } as const;

labSuite('registers by system call and by mapping are the same registers', () => {
  const card = opened(devices.testdev);
  const nic = opened(devices.nicA);
  let region: Region;
  let mapping: Mapping;
  before(() => {
    region = card.device.bar(0);
    mapping = region.map();
  });
  after(() => mapping.close());
  beforeEach(() => region.write8(testdev.test, 0));

  it('reads of 8, 16, 32 and 64 bits agree with each other', () => {
    const bytes = new Uint8Array(64);
    assert.equal(region.read(0, bytes), 64);
    assert.equal(Buffer.from(bytes).toString('latin1', testdev.name, 32), 'mmio-no-eventfd\0');
    const view = new DataView(bytes.buffer);
    for (const registers of [region, mapping]) {
      for (let i = 0; i < 64; i++) assert.equal(registers.read8(i), view.getUint8(i));
      for (let i = 0; i < 64; i += 2) assert.equal(registers.read16(i), view.getUint16(i, true));
      for (let i = 0; i < 64; i += 4) assert.equal(registers.read32(i), view.getUint32(i, true));
      for (let i = 0; i < 64; i += 8) assert.equal(registers.read64(i), view.getBigUint64(i, true));
    }
    covers('VFIO_REGION_INFO_FLAG_READ');
  });

  it('writes of every width are seen by the device, once each', () => {
    // The device counts writes of single bytes at an offset it names; a wider write begins with that byte.
    const offset = region.read32(testdev.offset);
    const counted = (): number => region.read32(testdev.count);
    for (const registers of [region, mapping]) {
      region.write8(testdev.test, 0);
      const before = counted();
      registers.write8(offset, 0xfa);
      assert.equal(counted(), before + 1);
      registers.write16(offset, 0xfa);
      assert.equal(counted(), before + 2);
      registers.write32(offset, 0xfa);
      assert.equal(counted(), before + 3);
      registers.write64(offset, 0xfan);
      assert.equal(counted(), before + 4);
    }
    covers('VFIO_REGION_INFO_FLAG_WRITE');
  });

  it('32-bit values come and go unsigned, whatever sign they are given', () => {
    const registers = nic.device.bar(0).map();
    for (const written of [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, -1, ~0x1234, -(2 ** 31)]) {
      registers.write32(Reg.MTA, written);
      assert.equal(nic.device.bar(0).read32(Reg.MTA), written >>> 0);
      nic.device.bar(0).write32(Reg.MTA, ~written);
      assert.equal(registers.read32(Reg.MTA), ~written >>> 0);
    }
    registers.close();
  });

  it('many bytes are read and written in one call, also short ones and none', () => {
    const bar = nic.device.bar(0);
    const sent = Uint8Array.from({ length: 64 }, (_, i) => i * 5 + 1);
    assert.equal(bar.write(Reg.MTA, sent), 64);
    const back = new Uint8Array(64);
    assert.equal(bar.read(Reg.MTA, back), 64);
    assert.deepEqual(back, sent);
    const part = Buffer.alloc(16, 0xee);
    assert.equal(bar.read(Reg.MTA + 4, part.subarray(4, 12)), 8);
    assert.deepEqual(
      [...part],
      [...Array<number>(4).fill(0xee), ...sent.slice(4, 12), ...Array<number>(4).fill(0xee)],
    );
    assert.equal(bar.read(bar.size, new Uint8Array(0)), 0);
    assert.equal(bar.write(0, new Uint8Array(0)), 0);
  });
});
