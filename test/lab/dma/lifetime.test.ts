import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { Container, Device } from 'vfio';
import { devices } from '../../../lab/devices';
import { createProcess } from '../../support/processes';
import { native } from '../../../lib/native';
import { bound } from '../support/bound';
import { held, statusBytes } from '../support/held';
import { labSuite } from '../support/suite';

const MiB = 2 ** 20;

labSuite('dma: how long memory lives', function () {
  this.timeout(90_000);
  bound(devices.nicA);

  it('is pinned while it is mapped, and goes back when it is freed', async () => {
    await using nic = await Device.open(devices.nicA);
    const before = held();
    const resident = statusBytes('VmRSS');
    const buffer = nic.dma.alloc(32 * MiB);
    assert.equal(held().pinned, before.pinned + 32 * MiB);
    const view = buffer.u8;
    view.fill(1);
    assert.ok(statusBytes('VmRSS') > resident + 30 * MiB);
    buffer.free();
    // The view is still there, its memory is not.
    assert.ok(statusBytes('VmRSS') < resident + 16 * MiB);
    assert.equal(view.length, 32 * MiB);
    assert.equal(view[5], 0);
    assert.deepEqual(held(), before);
  });

  it('free() twice is once, and afterwards nothing of it can be had', async () => {
    await using nic = await Device.open(devices.nicA);
    const buffer = nic.dma.alloc(4096);
    buffer.free();
    buffer.free();
    buffer[Symbol.dispose]();
    assert.equal(buffer.freed, true);
    for (const name of ['buffer', 'u8', 'u16', 'u32', 'i32', 'u64', 'f64'] as const) {
      assert.throws(() => buffer[name], { code: 'ERR_VFIO_CLOSED', message: /DMA buffer at IOVA 0x[0-9a-f]+ is closed/ });
    }
  });

  it('ends with the device that was opened alone, and with the container that is shared', async () => {
    const nic = await Device.open(devices.nicA);
    const alone = nic.dma.alloc(4096);
    await nic.close();
    assert.equal(alone.freed, true);

    const container = Container.open();
    const again = await Device.open(devices.nicA, { container });
    const shared = container.dma.alloc(4096);
    container.close();
    assert.deepEqual([shared.freed, again.closed], [true, true]);
  });

  it('freeAll() frees all of it in one call where the kernel has one', async () => {
    await using nic = await Device.open(devices.nicA);
    const before = held();
    const buffers = Array.from({ length: 50 }, () => nic.dma.alloc(4096));
    assert.equal(nic.dma.buffers.length, 50);
    nic.dma.freeAll();
    assert.ok(buffers.every(buffer => buffer.freed));
    assert.equal(nic.dma.bytesMapped, 0);
    assert.deepEqual(held(), before);
    assert.equal(nic.container.iommuInfo().mappingsAvailable, 65535);
    nic.dma.freeAll();
  });

  it('is not the garbage collector to end: a device may be writing to it', async () => {
    const { code, stdout, stderr } = await createProcess(
      ({ vfio }, address) => {
        const nic = vfio.Device.openSync(address);
        nic.dma.alloc(4096).u8.fill(7);
        (globalThis as { gc?: () => void }).gc?.();
        setTimeout(() => {
          (globalThis as { gc?: () => void }).gc?.();
          console.log(nic.dma.buffers.length, nic.dma.buffers[0]?.u8[9]);
          nic.closeSync();
        }, 20);
      },
      devices.nicA,
      { nodeArgs: ['--expose-gc'], timeoutMs: 60_000 },
    );
    assert.deepEqual([code, stdout.trim(), stderr], [0, '1 7', '']);
  });

  it('is kept out of forked children', async () => {
    await using nic = await Device.open(devices.nicA);
    const buffer = nic.dma.alloc(64 * 1024);
    const memory = native().memoryFromView(buffer.u8);
    const start = native().memoryAddress(memory).toString(16);
    native().memoryFree(memory);
    const smaps = fs.readFileSync('/proc/self/smaps', 'utf8');
    const entry = smaps.slice(smaps.search(new RegExp(`^0*${start}-`, 'm')));
    const flags = /^VmFlags: (.*)$/m.exec(entry)?.[1]?.split(' ') ?? [];
    assert.ok(flags.includes('dc'), `VmFlags ${flags.join(' ')} lack dc (do not copy on fork)`);
    buffer.u8.fill(3);
    assert.equal(spawnSync('true').status, 0);
    assert.ok(buffer.u8.every(byte => byte === 3));
  });

  it('takes many small pieces and gives all of them back', async () => {
    await using nic = await Device.open(devices.nicA);
    const before = held();
    for (let round = 0; round < 5; round++) {
      const buffers = await Promise.all(Array.from({ length: 40 }, (_, i) => nic.dma.allocAsync(1 + i * 100)));
      assert.equal(new Set(buffers.map(buffer => buffer.iova)).size, 40);
      for (const buffer of buffers) buffer.free();
    }
    assert.deepEqual(held(), before);
  });
});
