import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { Container, Device, type DmaBuffer } from 'vfio';
import { native } from '../../../lib/native';
import { devices } from '../../../lab/devices';
import { skip } from '../../support/skip';
import { bound, opened } from '../support/bound';
import { held } from '../support/held';
import { labSuite } from '../support/suite';
import { parameter, withParameter } from '../support/sysfs';

const MiB = 2 ** 20;

labSuite('dma: the budget of mappings', () => {
  bound(devices.nicA);
  withParameter(parameter.dmaEntryLimit, '8');

  it('is counted down and up again, and running out of it says the numbers', async () => {
    await using nic = await Device.open(devices.nicA);
    const available = (): number | undefined => nic.container.iommuInfo().mappingsAvailable;
    const all = available();
    assert.equal(all, 8);
    const buffers: DmaBuffer[] = [];
    for (let i = 1; i <= 8; i++) {
      buffers.push(nic.dma.alloc(4096));
      assert.equal(available(), 8 - i);
    }
    const before = held();
    assert.throws(() => nic.dma.alloc(4096), {
      code: 'ENOSPC',
      syscall: 'VFIO_IOMMU_MAP_DMA',
      message: /budget of DMA mappings is used up: 8 mappings exist, dma_entry_limit is 8/,
    });
    await assert.rejects(nic.dma.allocAsync(4096), { code: 'ENOSPC' });
    assert.deepEqual(held(), before);
    buffers.pop()?.free();
    assert.equal(available(), 1);
    nic.dma.alloc(4096);
  });
});

labSuite('dma: huge pages', () => {
  const nic = opened(devices.nicA);
  withParameter(parameter.hugePages2M, '4');

  it('come from the pool when asked for, and go back to it', function () {
    const free = (): number =>
      Number(fs.readFileSync(parameter.hugePages2M.replace('nr_', 'free_'), 'utf8'));
    if (free() < 4) skip(this, `the machine has no room for 4 huge pages, only for ${free()}`);
    for (const hugepages of [true, '2M'] as const) {
      const buffer = nic.device.dma.alloc(3 * MiB, { hugepages });
      assert.equal(buffer.byteLength, 4 * MiB);
      assert.equal(buffer.iova % BigInt(2 * MiB), 0n);
      assert.equal(free(), 2);
      buffer.u8[3 * MiB] = 1;
      buffer.free();
      assert.equal(free(), 4);
    }
  });

  it('that are not there: the error says how many are and how to get more', () => {
    const before = held();
    assert.throws(() => nic.device.dma.alloc(64 * MiB, { hugepages: true }), {
      code: 'ENOMEM',
      message: /32 huge pages of 2097152 bytes are needed, \d+ of \d+ are free.*echo \d+ > .*nr_hugepages/,
    });
    assert.deepEqual(held(), before);
  });

  it('of 1 GiB, where the machine has some', function () {
    if (!fs.existsSync(parameter.hugePages1G) || Number(fs.readFileSync(parameter.hugePages1G, 'utf8')) === 0) {
      skip(this, 'the machine has no huge pages of 1 GiB reserved');
    }
    using buffer = nic.device.dma.alloc(1, { hugepages: '1G' });
    assert.equal(buffer.byteLength, 1024 * MiB);
  });
});

labSuite('dma: nothing is left behind when it fails', () => {
  bound(devices.nicA);

  it('at any of its system calls, on the loop and off it', async () => {
    await using nic = await Device.open(devices.nicA);
    nic.dma.alloc(4096);
    const before = held();
    for (const [syscall, errno, code] of [
      ['mmap', 12, 'ENOMEM'],
      ['madvise', 12, 'ENOMEM'],
      ['VFIO_IOMMU_MAP_DMA', 14, 'EFAULT'],
      ['VFIO_IOMMU_MAP_DMA', 12, 'ENOMEM'],
    ] as const) {
      native().failNext(syscall, errno, 0);
      assert.throws(() => nic.dma.alloc(4 * MiB), { name: 'VfioError', code, syscall });
      native().failNext(syscall, errno, 0);
      await assert.rejects(nic.dma.allocAsync(4 * MiB), { name: 'VfioError', code, syscall });
      assert.deepEqual(held(), before, syscall);
    }
    assert.equal(nic.dma.buffers.length, 1);
    nic.dma.alloc(4 * MiB);
  });

  it('when the container closes while memory is being pinned', async () => {
    const before = held();
    const container = Container.open();
    const nic = await Device.open(devices.nicA, { container });
    const pinning = nic.dma.allocAsync(8 * MiB);
    container.close();
    await assert.rejects(pinning, { name: 'VfioError' });
    await nic.close();
    assert.deepEqual(held(), before);
  });
});
