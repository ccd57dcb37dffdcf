import assert from 'node:assert/strict';
import type { Dma } from 'vfio';
import { devices } from '../../../lab/devices';
import { opened } from '../support/bound';
import { ADDRESS_BITS, EDU_BYTES, EduCard, fillPattern } from '../support/edu';
import { wasmMemory } from '../support/shared-memory';
import { labSuite } from '../support/suite';
import { coversBy } from '../support/ways';

labSuite('what the IOMMU lets a device do', () => {
  const edu = opened(devices.edu);
  const options = { addressBits: ADDRESS_BITS };
  let dma: Dma;
  let card: EduCard;
  before(() => {
    ({ dma } = edu.device);
    card = new EduCard(edu.device);
    edu.device.enableBusMaster();
  });
  afterEach(() => dma.freeAll());

  it('reading and writing: bytes go to the device and come back', async () => {
    const [sent, received] = [dma.alloc(4096, options), dma.alloc(4096, options)];
    assert.ok(sent.iova + 4096n <= 1n << BigInt(ADDRESS_BITS));
    fillPattern(sent.u8, 1);
    received.u8.fill(0xee);
    await card.readFrom(sent.iova);
    await card.writeTo(received.iova);
    assert.deepEqual(received.u8.slice(0, EDU_BYTES), sent.u8.slice(0, EDU_BYTES));
    assert.ok(
      received.u8.subarray(EDU_BYTES).every(byte => byte === 0xee),
      'and not a byte more',
    );
    coversBy(edu.device, {
      container: ['VFIO_IOMMU_MAP_DMA', 'VFIO_DMA_MAP_FLAG_READ', 'VFIO_DMA_MAP_FLAG_WRITE'],
      iommufd: ['IOMMU_IOAS_MAP', 'IOMMU_IOAS_MAP_READABLE', 'IOMMU_IOAS_MAP_WRITEABLE'],
    });
  });

  it('nothing before bus mastering is on', async () => {
    const memory = dma.alloc(4096, options);
    memory.u8.fill(0xee);
    edu.device.disableBusMaster();
    await card.writeTo(memory.iova, 64);
    edu.device.enableBusMaster();
    assert.ok(memory.u8.every(byte => byte === 0xee));
  });

  it('not to write what it may only read', async () => {
    const memory = dma.alloc(4096, { ...options, deviceWrites: false });
    assert.deepEqual([memory.deviceReads, memory.deviceWrites], [true, false]);
    fillPattern(memory.u8, 5);
    const before = memory.u8.slice();
    const other = dma.alloc(4096, options);
    other.u8.fill(0xee);
    await card.readFrom(other.iova, 64);
    await card.writeTo(memory.iova, 64);
    assert.deepEqual(memory.u8.slice(), before, 'the IOMMU stopped it');
    await card.readFrom(memory.iova, 64);
    await card.writeTo(other.iova, 64);
    assert.deepEqual(other.u8.slice(0, 64), before.slice(0, 64), 'reading works');
    coversBy(edu.device, { container: ['VFIO_DMA_MAP_FLAG_READ'], iommufd: ['IOMMU_IOAS_MAP_READABLE'] });
  });

  // That it cannot read what it may only write is not to be had here: Linux's driver for Intel's IOMMU allows it.
  it('to write what it may only write', async () => {
    const memory = dma.alloc(4096, { ...options, deviceReads: false });
    assert.deepEqual([memory.deviceReads, memory.deviceWrites], [false, true]);
    const other = dma.alloc(4096, options);
    other.u8.fill(0x11);
    memory.u8.fill(0x99);
    await card.readFrom(other.iova, 64);
    await card.writeTo(memory.iovaAt(2048), 64);
    assert.ok(memory.u8.subarray(2048, 2048 + 64).every(byte => byte === 0x11));
    assert.deepEqual([memory.u8[2047], memory.u8[2048 + 64]], [0x99, 0x99]);
    coversBy(edu.device, { container: ['VFIO_DMA_MAP_FLAG_WRITE'], iommufd: ['IOMMU_IOAS_MAP_WRITEABLE'] });
  });

  it('nothing any more once memory is freed', async () => {
    const memory = wasmMemory();
    const bytes = new Uint8Array(memory);
    const mapped = dma.map(memory, options);
    const { iova } = mapped;
    bytes.fill(0x22);
    const other = dma.alloc(4096, options);
    other.u8.fill(0x33);
    await card.readFrom(other.iova, 64);
    mapped.free();
    await card.writeTo(iova, 64);
    assert.ok(bytes.every(byte => byte === 0x22));
    coversBy(edu.device, { container: ['VFIO_IOMMU_UNMAP_DMA'], iommufd: ['IOMMU_IOAS_UNMAP'] });
  });
});
