import assert from 'node:assert/strict';
import { devices } from '../../../lab/devices';
import { type Body, createWorker } from '../../support/processes';
import { bound } from '../support/bound';
import { EduCard } from '../support/edu';
import { held } from '../support/held';
import { labSuite } from '../support/suite';
import { Device } from 'vfio';

/** Does DMA both ways and takes interrupts by one edu, round after round; posts after each. */
const drive: Body<{ address: string; rounds: number }> = async ({ vfio, require }, { address, rounds }) => {
  const { parentPort } = require('node:worker_threads') as typeof import('node:worker_threads');
  const device = await vfio.Device.open(address);
  const registers = device.bar(0).map();
  const memory = device.dma.alloc(4096, { addressBits: 28 });
  const [vector] = device.msi.enable(1);
  device.enableBusMaster();
  const transfer = async (from: bigint, to: bigint, command: number): Promise<void> => {
    registers.write64(0x80, from);
    registers.write64(0x88, to);
    registers.write64(0x90, 64n);
    registers.write32(0x98, 1 | command);
    while ((registers.read32(0x98) & 1) !== 0) await new Promise(resolve => setTimeout(resolve, 5));
  };
  for (let i = 0; i < rounds; i++) {
    memory.u8.fill(i + 1, 0, 64).fill(0, 64, 128);
    await transfer(memory.iova, 0x40000n, 0);
    await transfer(0x40000n, memory.iovaAt(64), 2);
    if (memory.u8[64] !== i + 1 || memory.u8[127] !== i + 1)
      throw new Error(`round ${i}: other bytes came back`);
    const interrupted = vector.wait({ timeoutMs: 60_000 });
    registers.write32(0x60, 1);
    await interrupted;
    registers.write32(0x64, 0xffff_ffff);
    parentPort?.postMessage(i);
  }
  await device.close();
};

labSuite('several workers with devices at once', () => {
  bound(devices.edu, devices.pairEdu, devices.pairTestdev);

  it('each drives its own, and the main thread a third', async () => {
    const before = held();
    const workers = [devices.edu, devices.pairEdu].map(address =>
      createWorker(drive, { address, rounds: 2 }),
    );
    {
      // Of another group than those of the workers.
      await using device = await Device.open(devices.nicA, { bind: true });
      const [vector] = device.msix.enable(1);
      for (let i = 0; i < 20; i++) {
        vector.trigger();
        assert.equal(await vector.wait({ timeoutMs: 60_000 }), 1);
      }
      assert.deepEqual(await Promise.all(workers.map(worker => worker.ended)), [0, 0]);
    }
    assert.deepEqual(held(), before);
  });

  it('one that is terminated again and again does not disturb the other', async () => {
    const before = held();
    const steady = createWorker(drive, { address: devices.edu, rounds: 3 });
    for (let i = 0; i < 2; i++) {
      const { worker, message } = createWorker(drive, { address: devices.pairEdu, rounds: 1000 });
      await message();
      await worker.terminate();
    }
    assert.equal(await steady.ended, 0);
    assert.deepEqual(held(), before);
    await using device = await Device.open(devices.pairEdu);
    assert.equal(new EduCard(device).registers.read32(0), 0x0100_00ed);
  });
});
