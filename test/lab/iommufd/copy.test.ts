import assert from 'node:assert/strict';
import { type Ioas, Iommufd } from 'vfio';
import { devices } from '../../../lab/devices';
import { covers } from '../../support/covers';
import { needs } from '../../support/needs';
import { bound } from '../support/bound';
import { cdevMachine } from '../support/cdev';
import { ADDRESS_BITS, EduCard, fillPattern } from '../support/edu';
import { labSuite } from '../support/suite';

labSuite('iommufd: mappings copied into another address space', () => {
  needs(cdevMachine);
  bound(devices.edu);
  let iommufd: Iommufd;
  let source: Ioas;
  let target: Ioas;
  beforeEach(() => {
    iommufd = Iommufd.open();
    source = iommufd.allocIoas();
    target = iommufd.allocIoas();
  });
  afterEach(() => iommufd.close());

  it('show devices the same memory', async () => {
    const memory = source.dma.alloc(8192, { addressBits: ADDRESS_BITS });
    const copy = target.copy(source, memory.iova, 8192, { iova: 0x30_0000n });
    assert.deepEqual([copy.iova, copy.byteLength, copy.closed], [0x30_0000n, 8192, false]);
    await using device = await iommufd.openDevice(devices.edu);
    device.attach(target);
    device.enableBusMaster();
    const card = new EduCard(device);
    fillPattern(memory.u8, 7);
    const sent = memory.u8.slice(0, 1024);
    await card.readFrom(copy.iova, 1024);
    memory.u8.fill(0);
    await card.writeTo(copy.iova + 4096n, 1024);
    assert.deepEqual(memory.u8.slice(4096, 5120), sent);
    covers('IOMMU_IOAS_COPY');

    // Each may end by itself.
    copy.close();
    copy.close();
    assert.equal(copy.closed, true);
    memory.u8.fill(0);
    await card.writeTo(0x30_0000n, 64);
    assert.ok(memory.u8.every(byte => byte === 0));
    assert.equal(memory.freed, false);
  });

  it('keep the memory when its first mapping ends', async () => {
    const memory = source.dma.alloc(4096, { addressBits: ADDRESS_BITS });
    fillPattern(memory.u8, 9);
    const sent = memory.u8.slice(0, 256);
    const copy = target.copy(source, memory.iova, 4096, { addressBits: ADDRESS_BITS });
    memory.free();
    await using device = await iommufd.openDevice(devices.edu);
    device.attach(target);
    device.enableBusMaster();
    const card = new EduCard(device);
    await card.readFrom(copy.iova, 256);
    using proof = target.dma.alloc(4096, { addressBits: ADDRESS_BITS });
    await card.writeTo(proof.iova, 256);
    assert.deepEqual(proof.u8.slice(0, 256), sent);
  });

  it('may be read-only', async () => {
    const memory = source.dma.alloc(4096);
    const copy = target.copy(source, memory.iova, 4096, { addressBits: ADDRESS_BITS, deviceWrites: false });
    await using device = await iommufd.openDevice(devices.edu);
    device.attach(target);
    device.enableBusMaster();
    memory.u8.fill(0x55);
    await new EduCard(device).writeTo(copy.iova, 64);
    assert.ok(memory.u8.every(byte => byte === 0x55));
  });

  it('take their place in the target, and give it back', () => {
    const memory = source.dma.alloc(4096);
    const copy = target.copy(source, memory.iova, 4096);
    assert.throws(() => target.dma.alloc(4096, { iova: copy.iova }), { code: 'EEXIST' });
    assert.throws(() => target.copy(source, memory.iova, 4096, { iova: copy.iova }), { code: 'EEXIST' });
    target.dma.freeAll();
    assert.equal(copy.closed, true);
    assert.equal(target.dma.alloc(4096).iova, copy.iova);
  });

  it('need a source that is mapped, and of the same iommufd', () => {
    const memory = source.dma.alloc(4096);
    const failed = { code: 'ENOENT', syscall: 'IOMMU_IOAS_COPY', message: /nothing is mapped there/ };
    assert.throws(() => target.copy(source, 0x5000_0000n, 4096), failed);
    assert.throws(() => target.copy(source, memory.iova, 8192), failed);
    assert.equal(target.dma.alloc(4096).iova, 0x10_0000n, 'a refusal takes no address');
    using other = Iommufd.open();
    using foreign = other.allocIoas();
    assert.throws(() => target.copy(foreign, 0n, 4096), {
      message: /source must be an Ioas of the same iommufd/,
    });
    for (const wrong of [undefined, null, {}, 3]) {
      assert.throws(() => target.copy(wrong as never, 0n, 4096), { code: 'ERR_INVALID_ARG_TYPE' });
    }
    assert.throws(() => target.copy(source, -1n, 4096), { code: 'ERR_OUT_OF_RANGE', message: /sourceIova/ });
    assert.throws(() => target.copy(source, memory.iova, 0), { code: 'ERR_OUT_OF_RANGE', message: /length/ });
    assert.throws(() => target.copy(source, memory.iova, 4096, { iova: 'va' as never }), /options\.iova/);
    assert.throws(() => target.copy(source, memory.iova, 4096, { iovas: 1n } as never), {
      code: 'ERR_UNKNOWN_OPTION',
    });
  });
});
