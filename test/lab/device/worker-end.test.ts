import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { Device } from 'vfio';
import { devices } from '../../../lab/devices';
import { createWorker } from '../../support/processes';
import { bound } from '../support/bound';
import { Edu, EduCard } from '../support/edu';
import { held } from '../support/held';
import { labSuite } from '../support/suite';
import { driverOf } from '../support/sysfs';

labSuite('a worker that ends with a device open', () => {
  bound(devices.edu);

  it('terminated in the middle of DMA and interrupts: the device is quiet and opens at once', async () => {
    const before = held();
    const { worker, message } = createWorker(async ({ vfio, require }, address) => {
      const { parentPort } = require('node:worker_threads') as typeof import('node:worker_threads');
      const device = await vfio.Device.open(address);
      const memory = device.dma.alloc(4096, { addressBits: 28 });
      const registers = device.bar(0).map();
      const [vector] = device.msi.enable(1);
      device.enableBusMaster();
      vector.on('interrupt', () => {
        registers.write32(0x64, 0xffff_ffff);
        registers.write32(0x60, 1);
        if (vector.total === 3) parentPort?.postMessage(Number(memory.iova));
      });
      registers.write32(0x60, 1);
      // The transfer takes the device 100 ms, more than the worker has.
      registers.write64(0x80, 0x40000n);
      registers.write64(0x88, memory.iova);
      registers.write64(0x90, 64n);
      registers.write32(0x98, 3);
    }, devices.edu);
    const iova = BigInt((await message()) as number);
    await worker.terminate();
    assert.deepEqual(held(), before);

    await using device = await Device.open(devices.edu);
    assert.equal(device.config.busMaster, false);
    const memory = device.dma.alloc(4096, { iova });
    const [vector] = device.msi.enable(1);
    memory.u8.fill(0x5a);
    await sleep(150);
    assert.ok(
      memory.u8.every(byte => byte === 0x5a),
      'no DMA of the last owner arrives',
    );
    assert.equal(vector.waitSync(0), 0, 'nor an interrupt');
    assert.equal(device.bar(0).read32(Edu.ID), 0x0100_00ed);
  });

  it('terminated while it opens a device, binding it: given back', async () => {
    const { worker, message } = createWorker(({ vfio, require }, address) => {
      const { parentPort } = require('node:worker_threads') as typeof import('node:worker_threads');
      vfio.Device.open(address, { bind: true }).catch(() => undefined);
      parentPort?.postMessage('opening');
    }, devices.pairEdu);
    await message();
    await worker.terminate();
    assert.equal(driverOf(devices.pairEdu), undefined);
    await using device = await Device.open(devices.pairEdu, { bind: true });
    device.enableBusMaster();
    assert.equal(device.config.busMaster, true);
  });

  it('at its natural end: given back too', async () => {
    const { ended } = createWorker(async ({ vfio }, address) => {
      const device = await vfio.Device.open(address, { bind: true });
      device.msi.enable(1);
      device.dma.alloc(4096);
    }, devices.pairEdu);
    assert.equal(await ended, 0);
    assert.equal(driverOf(devices.pairEdu), undefined);
    await using device = await Device.open(devices.pairEdu, { bind: true });
    const card = new EduCard(device);
    assert.equal(card.registers.read32(Edu.ID), 0x0100_00ed);
  });
});
