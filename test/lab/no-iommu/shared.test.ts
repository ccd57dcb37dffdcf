import assert from 'node:assert/strict';
import { Device } from 'vfio';
import { Arena, BufferPool } from 'vfio/kit';
import { devices } from '../../../lab/devices';
import { Adopter } from '../../support/adopter';
import { type Here, thread } from '../../support/kit-thread';
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

  it('can be an arena of the kit, with a pool that threads have parts of', async () => {
    const device = await Device.open(devices.edu, { noIommu: true });
    const pool = new BufferPool(Arena.for(device.dma, 1 << 17), { count: 16, debug: true });
    const part = pool.part(8);
    const shared = { arena: pool.arena.share(), part: part.share() };
    const work = ({ kit, data }: Here<typeof shared>) => {
      const mine = kit.BufferPool.adopt(kit.Arena.adopt(data.arena), data.part);
      for (let handle = mine.take(); handle !== 0; handle = mine.take()) mine.arena.u8[handle] = 0x5a;
      return [mine.free, mine.arena.alloc(64)];
    };
    const [free, there] = (await thread(shared, work).result) as [number, number];
    assert.deepEqual([free, part.free, pool.free], [0, 0, 8]);
    assert.ok(pool.arena.alloc(64) > there);
    const marked = Array.from({ length: 16 }, (_, i) => pool.arena.u8[pool.start + 2048 * i]);
    assert.equal(marked.filter(byte => byte === 0x5a).length, 8);
    await device.close();
    await assert.rejects(thread(shared, work).result, { code: 'ERR_VFIO_NOT_SHARED' });
  });
});
