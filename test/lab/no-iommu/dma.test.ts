import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import type { DmaBuffer } from 'vfio';
import { Device } from 'vfio';
import { devices } from '../../../lab/devices';
import { physicalAddress } from '../../../lib/dma/physical-address';
import { needs } from '../../support/needs';
import { bound } from '../support/bound';
import { EduCard, fillPattern } from '../support/edu';
import { addressOf, wholePages } from '../support/shared-memory';
import { labSuite } from '../support/suite';
import { parameter, withParameter } from '../support/sysfs';

const PAGE = 4096;

/** Where each page of a buffer really is. */
function pagesOf(buffer: DmaBuffer): bigint[] {
  const pages: bigint[] = [];
  for (let offset = 0; offset < buffer.byteLength; offset += PAGE)
    pages.push(physicalAddress(addressOf(buffer.u8.subarray(offset, offset + 1))));
  return pages;
}

labSuite('no-IOMMU mode: DMA memory', () => {
  needs({ profile: 'no-iommu', devices: [devices.edu] });
  withParameter(parameter.hugePages2M, '8');
  bound(devices.edu);
  let device: Device;
  beforeEach(async () => {
    device = await Device.open(devices.edu, { noIommu: true });
  });
  afterEach(() => device.close());

  it('has physical addresses, one page after the other', () => {
    const buffer = device.dma.alloc(16 * PAGE);
    assert.deepEqual(
      pagesOf(buffer),
      Array.from({ length: 16 }, (_, i) => buffer.iova + BigInt(i * PAGE)),
    );
  });

  it('stays where it is although the kernel moves what it can', () => {
    const buffer = device.dma.alloc(16 * PAGE);
    const before = pagesOf(buffer);
    fs.writeFileSync('/proc/sys/vm/compact_memory', '1');
    assert.deepEqual(pagesOf(buffer), before);
  });

  it('is reached by the device at these addresses', async () => {
    const buffer = device.dma.alloc(2 * PAGE);
    const edu = new EduCard(device);
    device.enableBusMaster();
    fillPattern(buffer.u8.subarray(0, PAGE), 5);
    await edu.readFrom(buffer.iova, 1024);
    await edu.writeTo(buffer.iova + BigInt(PAGE), 1024);
    assert.deepEqual(buffer.u8.slice(PAGE, PAGE + 1024), buffer.u8.slice(0, 1024));
  });

  it('comes zeroed, also the second time', () => {
    const first = device.dma.alloc(PAGE);
    const other = device.dma.alloc(PAGE);
    first.u8.fill(0xff);
    const { iova } = first;
    first.free();
    const second = device.dma.alloc(PAGE);
    assert.equal(second.iova, iova, 'the same memory');
    assert(second.u8.every(byte => byte === 0));
    other.free();
  });

  it('cannot be memory of the user, which the kernel may move', () => {
    assert.throws(() => device.dma.map(wholePages(1)), {
      code: 'ERR_VFIO_UNSUPPORTED',
      message: /may move it/,
    });
  });

  it('cannot be asked to be somewhere, or to be more than one piece', () => {
    assert.throws(() => device.dma.alloc(PAGE, { iova: 0x10_0000n }), {
      message: /options\.iova must be left out in no-IOMMU mode/,
    });
    assert.throws(() => device.dma.alloc(2 ** 21 + 1), {
      name: 'RangeError',
      message: /bytes must be at most 2097152 in no-IOMMU mode/,
    });
    assert.throws(() => device.dma.alloc(PAGE, { align: 2 ** 22 }), {
      name: 'RangeError',
      message: /options\.align/,
    });
  });

  it('needs huge pages, and says so', () => {
    const available = fs.readFileSync(parameter.hugePages2M, 'utf8').trim();
    fs.writeFileSync(parameter.hugePages2M, '0');
    try {
      assert.throws(() => device.dma.alloc(PAGE), { code: 'ENOMEM', cure: /nr_hugepages/ });
    } finally {
      fs.writeFileSync(parameter.hugePages2M, available);
    }
  });
});
