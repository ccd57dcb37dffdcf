import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { Device, VfioError } from 'vfio';
import { devices } from '../../../lab/devices';
import { native } from '../../../lib/native';
import { bound } from '../support/bound';
import { held } from '../support/held';
import { wasmMemory } from '../support/shared-memory';
import { labSuite } from '../support/suite';

labSuite('DMA memory that cannot be had leaves nothing behind', () => {
  bound(devices.edu);
  let device: Device;
  beforeEach(async () => {
    device = await Device.open(devices.edu);
  });
  afterEach(async () => {
    for (const syscall of ['mmap', calls().map, calls().unmap]) native().failNext(syscall, 0, 0);
    await device.close();
  });
  const calls = (): { map: string; unmap: string } =>
    device.iommufd === undefined
      ? { map: 'VFIO_IOMMU_MAP_DMA', unmap: 'VFIO_IOMMU_UNMAP_DMA' }
      : { map: 'IOMMU_IOAS_MAP', unmap: 'IOMMU_IOAS_UNMAP' };

  const ways = {
    alloc: () => device.dma.alloc(4096),
    allocAsync: () => device.dma.allocAsync(4096),
    map: () => device.dma.map(wasmMemory()),
    mapAsync: () => device.dma.mapAsync(wasmMemory()),
  };

  for (const [way, work] of Object.entries(ways)) {
    for (const what of way.startsWith('alloc') ? ['mmap', 'the mapping'] : ['the mapping']) {
      it(`${way}(), when ${what} fails`, async () => {
        const before = held();
        const syscall = what === 'mmap' ? what : calls().map;
        native().failNext(syscall, constants.errno.ENOMEM, 0);
        await assert.rejects(
          async () => await work(),
          (error: unknown) => {
            assert.ok(error instanceof VfioError);
            assert.deepEqual([error.code, error.syscall], ['ENOMEM', syscall]);
            return true;
          },
        );
        assert.deepEqual(held(), before);
        assert.deepEqual([device.dma.buffers, device.dma.bytesMapped], [[], 0]);
        const buffer = await work();
        assert.equal(buffer.iova, 0x10_0000n, 'the address was given back');
        buffer.free();
      });
    }
  }

  it('memory that cannot be unmapped stays what it is, and is freed later', () => {
    const before = held();
    const buffer = device.dma.alloc(4096);
    buffer.u8.fill(3);
    native().failNext(calls().unmap, constants.errno.EIO, 0);
    assert.throws(() => buffer.free(), {
      code: 'EIO',
      syscall: calls().unmap,
      message: /Unmapping 0x100000/,
    });
    assert.deepEqual([buffer.freed, buffer.u8[5]], [false, 3], 'it is still mapped, so it is not given back');
    buffer.free();
    assert.deepEqual(held(), before);
  });
});
