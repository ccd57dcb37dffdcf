import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { Device } from 'vfio';
import { devices } from '../../../lab/devices';
import { physicalAddress } from '../../../lib/dma/physical-address';
import { needs } from '../../support/needs';
import { EduCard, fillPattern } from '../support/edu';
import { addressOf, wholePages } from '../support/shared-memory';
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

  /** A page of ordinary memory of this process that nobody gave to any device. */
  function anyPage(): { bytes: Uint8Array; physical: bigint } {
    const bytes = wholePages(1).fill(1);
    return { bytes, physical: physicalAddress(addressOf(bytes)) };
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
    const buffer = device.dma.alloc(4096);
    const { iova, u8 } = buffer;
    const other = device.dma.alloc(4096);
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
