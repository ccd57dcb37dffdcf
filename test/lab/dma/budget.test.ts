import assert from 'node:assert/strict';
import { Device } from 'vfio';
import { devices } from '../../../lab/devices';
import { byGroup } from '../support/by-group';
import { bound } from '../support/bound';
import { held } from '../support/held';
import { labSuite } from '../support/suite';
import { parameter, withParameter } from '../support/sysfs';

labSuite('the budget of DMA mappings', () => {
  bound(devices.edu);
  withParameter(parameter.dmaEntryLimit, '4');

  it('is what the kernel says, and the error of one too many says the numbers', async () => {
    // The kernel reads its parameter when a container is opened.
    await using device = await Device.open(devices.edu, { via: 'group' });
    const { dma } = device;
    const { container } = byGroup(device);
    const available = (): number | undefined => container.iommuInfo().mappingsAvailable;
    assert.equal(available(), 4);
    const buffers = [1, 2, 3, 4].map(() => dma.alloc(4096));
    assert.equal(available(), 0);
    const before = held();
    const full = {
      code: 'ENOSPC',
      syscall: 'VFIO_IOMMU_MAP_DMA',
      message:
        /Mapping 4096 bytes at IOVA 0x104000 failed.*4 mappings exist, dma_entry_limit is 4.*map fewer, larger pieces/,
    };
    assert.throws(() => dma.alloc(4096), full);
    await assert.rejects(dma.allocAsync(4096), full);
    assert.deepEqual(held(), before);
    assert.equal(dma.buffers.length, 4);
    buffers[2]?.free();
    assert.equal(dma.alloc(4096).iova, 0x10_2000n, 'as one goes there is room for another');
  });
});
