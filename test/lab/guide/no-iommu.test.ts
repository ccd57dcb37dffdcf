import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { Device } from 'vfio';
import { devices } from '../../../lab/devices';
import { physicalAddress } from '../../../lib/dma/physical-address';
import { needs } from '../../support/needs';
import { ADDRESS_BITS, EduCard, fillPattern } from '../support/edu';
import { addressOf } from '../support/shared-memory';
import { labSuite } from '../support/suite';
import { parameter, withParameter } from '../support/sysfs';

labSuite('guide: what no-IOMMU mode does not protect', () => {
  needs({ profile: 'no-iommu', devices: [devices.edu] });
  withParameter(parameter.hugePages2M, '8');
  let device: Device;
  let edu: EduCard;
  before(async () => {
    device = await Device.open(devices.edu, { bind: true, noIommu: true });
    device.enableBusMaster();
    edu = new EduCard(device);
  });
  after(() => device.close());

  /** A page of ordinary memory of this process that nobody gave to any device, within what this one can address. */
  function anyPage(): { bytes: Uint8Array; physical: bigint } {
    const memory = new Uint8Array(new SharedArrayBuffer(64 * 2 ** 20)).fill(1);
    const first = (4096 - Number(addressOf(memory) % 4096n)) % 4096;
    for (let offset = first; offset + 4096 <= memory.length; offset += 4096) {
      const bytes = memory.subarray(offset, offset + 4096);
      const physical = physicalAddress(addressOf(bytes));
      if (physical + 4096n <= 1n << BigInt(ADDRESS_BITS)) return { bytes, physical };
    }
    return assert.fail('there is no such page');
  }

  it('memory that was never given to the device: it reads and writes all of it', async () => {
    const { bytes, physical } = anyPage();
    fillPattern(bytes, 9);
    const expected = bytes.slice(0, 64);
    await edu.readFrom(physical, 64);
    await edu.writeTo(physical + 1024n, 64);
    assert.deepEqual(bytes.slice(1024, 1024 + 64), expected);
  });

  it('memory that was taken back', async () => {
    const buffer = device.dma.alloc(4096, { addressBits: ADDRESS_BITS });
    const { iova, u8 } = buffer;
    const other = device.dma.alloc(4096, { addressBits: ADDRESS_BITS });
    other.u8.fill(0x77);
    await edu.readFrom(other.iova, 64);
    buffer.free();
    // Its huge page stays with the process as long as another buffer lies in it.
    await edu.writeTo(iova, 64);
    assert.equal(other.freed, false);
    assert.equal(u8.length, 4096);
  });

  it('the rest of the machine, which the kernel therefore takes for tainted', () => {
    const TAINT_USER = 1 << 6;
    assert.equal(Number(fs.readFileSync('/proc/sys/kernel/tainted', 'utf8')) & TAINT_USER, TAINT_USER);
  });
});
