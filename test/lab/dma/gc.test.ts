import assert from 'node:assert/strict';
import { devices } from '../../../lab/devices';
import { createProcess } from '../../support/processes';
import { bound } from '../support/bound';
import { labSuite } from '../support/suite';

labSuite('DMA memory and the garbage collector', function () {
  this.timeout(90_000);
  bound(devices.nicA);

  it('mapped memory that nobody holds stays: a device may be writing to it', async () => {
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
});
