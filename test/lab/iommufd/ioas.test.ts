import assert from 'node:assert/strict';
import { type Device, type Ioas, Iommufd, type IovaRange } from 'vfio';
import { devices } from '../../../lab/devices';
import { covers } from '../../support/covers';
import { lacking, needs } from '../../support/needs';
import { bound } from '../support/bound';
import { cdevMachine } from '../support/cdev';
import { ADDRESS_BITS, EduCard, fillPattern } from '../support/edu';
import { statusBytes } from '../support/held';
import { reservedRegions } from '../support/reserved';
import { labSuite } from '../support/suite';

labSuite('iommufd: I/O address spaces', () => {
  needs(cdevMachine);
  bound(devices.edu);
  let iommufd: Iommufd;
  let ioas: Ioas;
  beforeEach(() => {
    iommufd = Iommufd.open();
    ioas = iommufd.allocIoas();
  });
  afterEach(() => iommufd.close());

  async function attached(): Promise<{ device: Device; card: EduCard }> {
    const device = await iommufd.openDevice(devices.edu);
    device.attach(ioas);
    device.enableBusMaster();
    return { device, card: new EduCard(device) };
  }

  it('map memory before a device is attached, and for any that comes', async () => {
    const memory = ioas.dma.alloc(4096, { addressBits: ADDRESS_BITS });
    assert.equal(memory.iova, 0x10_0000n);
    fillPattern(memory.u8, 4);
    const sent = memory.u8.slice(0, 1024);
    const { card } = await attached();
    await card.readFrom(memory.iova, 1024);
    memory.u8.fill(0);
    await card.writeTo(memory.iova, 1024);
    assert.deepEqual(memory.u8.slice(0, 1024), sent);
    covers('IOMMU_IOAS_MAP', 'IOMMU_IOAS_MAP_FIXED_IOVA');
  });

  it('unmap it when it is freed: the device reaches it no longer, and it is not pinned', async () => {
    const { card } = await attached();
    const memory = ioas.dma.alloc(2 ** 20, { addressBits: ADDRESS_BITS });
    const neighbour = ioas.dma.alloc(4096, { addressBits: ADDRESS_BITS });
    const { iova } = memory;
    const kept = memory.u8;
    memory.free();
    await card.writeTo(iova, 64);
    assert.ok(kept.every(byte => byte === 0));
    assert.equal(neighbour.freed, false);
    const again = ioas.dma.alloc(2 ** 20, { addressBits: ADDRESS_BITS });
    assert.equal(again.iova, iova, 'its address is free again');
    covers('IOMMU_IOAS_UNMAP');
    const some = [1, 2, 3].map(() => ioas.dma.alloc(8192));
    ioas.dma.freeAll();
    assert.ok([again, neighbour, ...some].every(buffer => buffer.freed));
    assert.deepEqual([ioas.dma.buffers, ioas.dma.bytesMapped], [[], 0]);
    assert.equal(statusBytes('VmPin'), 0);
  });

  it('let the device read only, or write only, where that was asked for', async () => {
    const { card } = await attached();
    const readable = ioas.dma.alloc(4096, { addressBits: ADDRESS_BITS, deviceWrites: false });
    const writable = ioas.dma.alloc(4096, { addressBits: ADDRESS_BITS, deviceReads: false });
    fillPattern(readable.u8, 5);
    const sent = readable.u8.slice();
    await card.readFrom(readable.iova, 512);
    await card.writeTo(readable.iova + 1024n, 512);
    assert.deepEqual(readable.u8.slice(), sent, 'it could not write');
    covers('IOMMU_IOAS_MAP_READABLE');
    await card.writeTo(writable.iova, 512);
    assert.deepEqual(writable.u8.slice(0, 512), sent.slice(0, 512));
    covers('IOMMU_IOAS_MAP_WRITEABLE');
    writable.u8.fill(0xaa);
    await card.readFrom(writable.iova, 512);
    await card.writeTo(writable.iova + 1024n, 512);
    const couldRead = writable.u8.subarray(1024, 1536).every(byte => byte === 0xaa);
    assert.equal(couldRead, !keepsFromReading());
  });

  it('say which addresses can be mapped: all, less what the devices attached have reserved', async () => {
    const all = [{ start: 0n, last: 2n ** 64n - 1n }];
    assert.deepEqual(ioas.iovaRanges(), all);
    const { device } = await attached();
    const ranges = ioas.iovaRanges();
    assert.ok(Object.isFrozen(ranges) && ranges.every(range => Object.isFrozen(range)));
    assert.ok(ranges.length > 0);
    checkAscending(ranges);
    for (const reserved of reservedRegions(devices.edu)) {
      for (const range of ranges) assert.ok(range.last < reserved.start || range.start > reserved.last);
    }
    device.detach();
    assert.deepEqual(ioas.iovaRanges(), all, 'the restriction goes with the device');
    covers('IOMMU_IOAS_IOVA_RANGES');
  });

  it('refuse addresses outside of that, naming what there is', async () => {
    const { device } = await attached();
    for (const { start } of reservedRegions(devices.edu)) {
      assert.throws(() => ioas.dma.alloc(4096, { iova: start }), {
        code: 'EINVAL',
        message: new RegExp(`does not accept IOVA 0x${start.toString(16)}-.*it accepts 0x`),
      });
    }
    const last = ioas.iovaRanges().at(-1)?.last ?? assert.fail();
    if (last < 2n ** 63n) assert.throws(() => ioas.dma.alloc(4096, { iova: last + 1n }), { code: 'EINVAL' });
    const memory = ioas.dma.alloc(8192, { iova: 0x2000_0000n });
    assert.throws(() => ioas.dma.alloc(4096, { iova: 0x2000_1000n }), {
      code: 'EEXIST',
      message: /mapped already/,
    });
    assert.throws(() => ioas.dma.alloc(4096, { iova: 0x2000_0010n }), { code: 'ERR_OUT_OF_RANGE' });
    memory.free();
    device.detach();
  });

  it('refuse a device in whose reserved window something is mapped', async () => {
    const [window] = reservedRegions(devices.edu);
    if (window === undefined) return;
    using device = await iommufd.openDevice(devices.edu);
    const memory = ioas.dma.alloc(4096, { iova: window.start });
    assert.throws(() => device.attach(ioas), {
      code: 'EADDRINUSE',
      syscall: 'VFIO_DEVICE_ATTACH_IOMMUFD_PT',
      message: /something is mapped or allowed where 0000:04:00\.0 has a reserved window/,
    });
    memory.free();
    device.attach(ioas);
  });

  it('are useless once closed', () => {
    const memory = ioas.dma.alloc(4096);
    const other = iommufd.allocIoas();
    ioas.close();
    ioas.close();
    assert.deepEqual([ioas.closed, memory.freed, other.closed], [true, true, false]);
    const closed = { code: 'ERR_VFIO_CLOSED', message: new RegExp(`I/O address space ${ioas.id} is closed`) };
    assert.throws(() => ioas.iovaRanges(), closed);
    assert.throws(() => ioas.allowIovas([]), closed);
    assert.throws(() => ioas.dma.alloc(4096), closed);
    assert.throws(() => ioas.copy(other, 0n, 4096), closed);
    assert.throws(() => other.copy(ioas, 0n, 4096), closed);
    assert.throws(() => ioas.mapFile(0, 0, 4096), closed);
    assert.throws(() => ioas.hugePages, closed);
    iommufd.close();
    assert.equal(other.closed, true);
    assert.throws(() => iommufd.allocIoas(), { code: 'ERR_VFIO_CLOSED', message: /The iommufd is closed/ });
  });
});

function checkAscending(ranges: readonly IovaRange[]): void {
  let before = -1n;
  for (const { start, last } of ranges) {
    assert.ok(start > before && start <= last);
    before = last;
  }
}

/** First-stage tables of Intel's have no such bit, and Linux used to set it in all of the second stage. */
function keepsFromReading(): boolean {
  const profile = process.env['LAB_PROFILE'] ?? '';
  if (profile === 'intel-first-stage') return false;
  return profile.startsWith('intel-') ? lacking({ kernel: '6.19' }) === undefined : true;
}
