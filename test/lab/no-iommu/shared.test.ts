import assert from 'node:assert/strict';
import { Device } from 'vfio';
import { Arena, BufferPool } from 'vfio/kit';
import { devices } from '../../../lab/devices';
import { Adopter } from '../../support/adopter';
import { thread } from '../../support/kit-thread';
import { needs } from '../../support/needs';
import { bound } from '../support/bound';
import { labSuite } from '../support/suite';
import { parameter, withParameter } from '../support/sysfs';

labSuite('no-IOMMU mode: memory in a worker', () => {
  needs({ profile: 'no-iommu', devices: [devices.edu] });
  withParameter(parameter.hugePages2M, '8');
  bound(devices.edu);

  it('is the same piece of a huge page, and ends with that piece', async () => {
    await using device = await Device.open(devices.edu, { noIommu: true });
    const [first, second] = [device.dma.alloc(4096), device.dma.alloc(8192)];
    await using worker = await Adopter.start({ buffer: second.share() });
    await worker.run(({ buffer }) => buffer.u8.fill(7));
    assert.deepEqual([first.u8[0], second.u8[0], second.u8[8191]], [0, 7, 7]);
    assert.equal(await worker.run(({ buffer }) => buffer.iova), second.iova);
    second.free();
    await assert.rejects(
      worker.run(({ buffer }) => buffer.u8),
      { code: 'ERR_VFIO_CLOSED' },
    );
    first.u8.fill(1);
  });

  it('is an arena with the pool in it', async () => {
    await using device = await Device.open(devices.edu, { noIommu: true });
    const arena = Arena.for(device.dma, 1 << 20);
    const pool = new BufferPool(arena, { count: 16 });
    const worker = thread({ arena: arena.share(), pool: pool.share() }, ({ kit, data }) => {
      const there = kit.Arena.adopt(data.arena);
      const handle = kit.BufferPool.adopt(there, data.pool).take();
      there.u8.fill(7, handle, handle + 64);
      return handle;
    });
    const handle = (await worker.result) as number;
    assert.deepEqual([pool.free, arena.u8[handle], arena.u8[handle + 63]], [15, 7, 7]);
  });
});
