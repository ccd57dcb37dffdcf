import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { Device } from 'vfio';
import { devices } from '../../../lab/devices';
import { createProcess } from '../../support/processes';
import { bound } from '../support/bound';
import { Edu } from '../support/edu';
import { labSuite } from '../support/suite';

/** Longer than a transfer of the device takes. */
const transferMs = 150;

labSuite('a process that is killed by SIGKILL in the middle of DMA and interrupts', () => {
  bound(devices.edu);

  it('leaves a quiet device, which opens at once, and memory that nobody writes to', async () => {
    const { signal, stdout, stderr } = await createProcess(
      async ({ vfio, require }, address) => {
        const fs = require('node:fs') as typeof import('node:fs');
        const device = await vfio.Device.open(address);
        const memory = device.dma.alloc(4096, { addressBits: 28 });
        const registers = device.bar(0).map();
        const [vector] = device.msi.enable(1);
        device.enableBusMaster();
        vector.on('interrupt', () => {
          registers.write32(0x64, 0xffff_ffff);
          registers.write32(0x60, 1);
          if (vector.total < 3) return;
          fs.writeSync(1, memory.iova.toString());
          process.kill(process.pid, 'SIGKILL');
        });
        // The device writes to our memory for 100 ms, more than the process has.
        registers.write64(0x80, 0x40000n);
        registers.write64(0x88, memory.iova);
        registers.write64(0x90, 64n);
        registers.write32(0x98, 3);
        registers.write32(0x60, 1);
      },
      devices.edu,
      { timeoutMs: 120_000 },
    );
    assert.deepEqual([signal, stderr], ['SIGKILL', '']);

    await using device = await Device.open(devices.edu);
    assert.equal(device.config.busMaster, false);
    const memory = device.dma.alloc(4096, { iova: BigInt(stdout) });
    const [vector] = device.msi.enable(1);
    memory.u8.fill(0x5a);
    await sleep(transferMs);
    assert.ok(
      memory.u8.every(byte => byte === 0x5a),
      'no DMA of the last owner arrives',
    );
    assert.equal(vector.waitSync(0), 0, 'nor an interrupt');
    assert.equal(device.bar(0).read32(Edu.ID), 0x0100_00ed);
  });
});
