import assert from 'node:assert/strict';
import { Device } from 'vfio';
import { devices } from '../../../lab/devices';
import { bound } from '../support/bound';
import { byGroup } from '../support/by-group';
import { held } from '../support/held';
import { wasmMemory } from '../support/shared-memory';
import { labSuite } from '../support/suite';
import { coversBy } from '../support/ways';

labSuite('freeing DMA memory', () => {
  bound(devices.edu);
  let device: Device;
  beforeEach(async () => {
    device = await Device.open(devices.edu, { via: 'group' });
  });
  afterEach(() => device.close());
  const available = (): number => byGroup(device).container.iommuInfo().mappingsAvailable ?? assert.fail();

  it('happens once; afterwards asking for the memory throws', () => {
    const before = held();
    const buffer = device.dma.alloc(4096);
    buffer.free();
    buffer.free();
    buffer[Symbol.dispose]();
    assert.equal(buffer.freed, true);
    const freed = { code: 'ERR_VFIO_CLOSED', message: /The DMA buffer at IOVA 0x100000 is closed/ };
    for (const use of [
      () => buffer.u8,
      () => buffer.u16,
      () => buffer.u32,
      () => buffer.i32,
      () => buffer.u64,
      () => buffer.f64,
      () => buffer.buffer,
    ]) {
      assert.throws(use, freed);
    }
    assert.equal(buffer.iova, 0x10_0000n, 'what it was is still known');
    assert.deepEqual([device.dma.buffers, device.dma.bytesMapped], [[], 0]);
    assert.deepEqual(held(), before);
  });

  it('happens at the end of a scope', () => {
    const before = available();
    {
      using buffer = device.dma.alloc(4096);
      assert.equal(buffer.freed, false);
      assert.equal(available(), before - 1);
    }
    assert.equal(available(), before);
  });

  it('happens to all at once', () => {
    const before = { held: held(), available: available() };
    const buffers = [
      ...Array.from({ length: 20 }, (_, i) => device.dma.alloc(4096 * (i + 1))),
      device.dma.map(wasmMemory()),
    ];
    assert.equal(available(), before.available - 21);
    device.dma.freeAll();
    device.dma.freeAll();
    assert.ok(buffers.every(buffer => buffer.freed));
    assert.deepEqual({ held: held(), available: available() }, before);
    coversBy(device, { container: ['VFIO_DMA_UNMAP_FLAG_ALL'], iommufd: ['IOMMU_IOAS_UNMAP'] });
  });

  it('of everything spares what is just being mapped, which is then really mapped', async () => {
    const first = device.dma.alloc(4096);
    const before = available();
    const pending = device.dma.mapAsync(wasmMemory());
    // The kernel has mapped it, and this thread has not heard of that yet.
    for (const end = performance.now() + 5000; available() === before && performance.now() < end;);
    assert.equal(available(), before - 1);
    device.dma.freeAll();
    assert.equal(first.freed, true);
    const second = await pending;
    assert.equal(second.freed, false);
    assert.deepEqual(device.dma.buffers, [second]);
    assert.equal(available(), before, 'one went, and one came');
    second.free();
  });

  it('happens to all when the device closes, as nobody else can use it', async () => {
    const buffers = [device.dma.alloc(4096), device.dma.map(wasmMemory())];
    await device.close();
    assert.ok(buffers.every(buffer => buffer.freed));
    for (const buffer of buffers) buffer.free();
  });
});
