import assert from 'node:assert/strict';
import { Container, Device } from 'vfio';
import { devices } from '../../../lab/devices';
import { bound, opened } from '../support/bound';
import { ADDRESS_BITS, EDU_BYTES, EduCard, fillPattern } from '../support/edu';
import { wasmMemory } from '../support/shared-memory';
import { labSuite } from '../support/suite';

const low = { addressBits: ADDRESS_BITS };

labSuite('dma: what a device reads and writes is what this process sees', () => {
  const edu = opened(devices.edu);
  let card: EduCard;
  before(() => {
    card = new EduCard(edu.device);
    edu.device.enableBusMaster();
  });
  after(() => card.registers.close());

  it('hands out memory that is zeroed, whatever it was used for before', () => {
    const first = edu.device.dma.alloc(8192);
    assert.ok(first.u32.every(word => word === 0));
    first.u8.fill(0xa5);
    first.free();
    using second = edu.device.dma.alloc(8192);
    assert.ok(second.u32.every(word => word === 0));
  });

  it('carries bytes both ways, off the loop as well as on it', async () => {
    for (const memory of [edu.device.dma.alloc(4096, low), await edu.device.dma.allocAsync(4096, low)]) {
      using buffer = memory;
      fillPattern(buffer.u8, 1);
      const sent = buffer.u8.slice(0, EDU_BYTES);
      await card.readFrom(buffer.iova);
      buffer.u8.fill(0);
      await card.writeTo(buffer.iovaAt(1024));
      assert.deepEqual(buffer.u8.slice(1024, 1024 + EDU_BYTES), sent);
      assert.ok(buffer.u8.subarray(0, 1024).every(byte => byte === 0));
      assert.ok(buffer.u8.subarray(1024 + EDU_BYTES).every(byte => byte === 0));
    }
  });

  it('carries them through memory that the user brought', async () => {
    const shared = wasmMemory();
    using buffer = edu.device.dma.map(new Uint8Array(shared, 4096, 8192), low);
    assert.equal(buffer.buffer, shared);
    assert.equal(buffer.byteOffset, 4096);
    assert.equal(buffer.byteLength, 8192);
    const mine = new Uint8Array(shared);
    fillPattern(mine.subarray(4096, 4096 + EDU_BYTES), 9);
    await card.readFrom(buffer.iova);
    await card.writeTo(buffer.iovaAt(4096));
    assert.deepEqual(mine.slice(8192, 8192 + EDU_BYTES), mine.slice(4096, 4096 + EDU_BYTES));
    assert.equal(buffer.u8[0], mine[4096]);
  });

  it('shows the device a page that it may only read: its writes are refused by the IOMMU', async () => {
    using readOnly = edu.device.dma.alloc(4096, { ...low, deviceWrites: false });
    using writable = edu.device.dma.alloc(4096, low);
    assert.deepEqual([readOnly.deviceReads, readOnly.deviceWrites], [true, false]);
    fillPattern(readOnly.u8, 4);
    const before = readOnly.u8.slice();
    fillPattern(writable.u8, 5);
    await card.readFrom(writable.iova);
    await card.writeTo(readOnly.iova);
    assert.deepEqual(readOnly.u8.slice(), before);
    // Reading it still works: the page is there.
    await card.readFrom(readOnly.iova);
    await card.writeTo(writable.iova);
    assert.deepEqual(writable.u8.slice(0, EDU_BYTES), before.slice(0, EDU_BYTES));
  });

  it('does not let the device reach what was freed', async () => {
    const gone = edu.device.dma.alloc(4096, low);
    const { iova } = gone;
    using kept = edu.device.dma.alloc(4096, low);
    fillPattern(kept.u8, 2);
    const before = kept.u8.slice();
    const view = gone.u8;
    gone.free();
    await card.readFrom(kept.iova);
    await card.writeTo(iova);
    assert.ok(view.every(byte => byte === 0));
    assert.deepEqual(kept.u8.slice(), before);
  });
});

labSuite('dma: two devices in one container share its memory', () => {
  bound(devices.edu, devices.pairEdu, devices.pairTestdev);

  it('one writes, the other reads', async () => {
    using container = Container.open();
    await using first = await Device.open(devices.edu, { container });
    await using second = await Device.open(devices.pairEdu, { container });
    assert.equal(first.dma, second.dma);
    assert.equal(container.groups.length, 2);
    const cards = [first, second].map(device => new EduCard(device));
    first.enableBusMaster();
    second.enableBusMaster();
    const [one, other] = cards as [EduCard, EduCard];
    const memory = container.dma.alloc(3 * 4096, low);
    fillPattern(memory.u8.subarray(0, EDU_BYTES), 6);
    await one.readFrom(memory.iova);
    await one.writeTo(memory.iovaAt(4096));
    await other.readFrom(memory.iovaAt(4096));
    await other.writeTo(memory.iovaAt(8192));
    assert.deepEqual(memory.u8.slice(8192, 8192 + EDU_BYTES), memory.u8.slice(0, EDU_BYTES));
  });

  it('both at once', async () => {
    using container = Container.open();
    await using first = await Device.open(devices.edu, { container });
    await using second = await Device.open(devices.pairEdu, { container });
    const jobs = [first, second].map(async (device, i) => {
      device.enableBusMaster();
      const card = new EduCard(device);
      const memory = container.dma.alloc(8192, low);
      for (let round = 0; round < 4; round++) {
        fillPattern(memory.u8.subarray(0, EDU_BYTES), i * 100 + round);
        await card.readFrom(memory.iova);
        await card.writeTo(memory.iovaAt(4096));
        assert.deepEqual(memory.u8.slice(4096, 4096 + EDU_BYTES), memory.u8.slice(0, EDU_BYTES));
      }
    });
    await Promise.all(jobs);
  });
});
