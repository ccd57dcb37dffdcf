import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { Device } from 'vfio';
import { devices } from '../../../lab/devices';
import { covers } from '../../support/covers';
import { bound } from '../support/bound';
import { Edu } from '../support/edu';
import { labSuite } from '../support/suite';

/** pci-testdev: which of its tests is chosen, the first byte of its memory BAR. A reset makes it 0. */
const chosenTest = 0;

labSuite('resetting a device', () => {
  bound(devices.edu, devices.testdev);

  for (const way of ['reset', 'resetSync'] as const) {
    it(`${way}() puts its registers back`, async () => {
      await using device = await Device.open(devices.testdev);
      assert.equal(device.info.reset, true);
      const registers = device.bar(0).map();
      registers.write8(chosenTest, 1);
      assert.equal(registers.read8(chosenTest), 1);
      await device[way]();
      assert.equal(registers.read8(chosenTest), 0);
      registers.write8(chosenTest, 1);
      assert.equal(registers.read8(chosenTest), 1, 'the mapping works on');
      covers('VFIO_DEVICE_RESET', 'VFIO_DEVICE_FLAGS_RESET');
    });

    it(`${way}() keeps bus mastering, interrupts and DMA memory`, async () => {
      await using device = await Device.open(devices.edu);
      const [vector] = device.msi.enable(1);
      const memory = device.dma.alloc(4096);
      device.enableBusMaster();
      await device[way]();
      assert.equal(device.config.busMaster, true);
      assert.equal(memory.freed, false);
      device.bar(0).write32(Edu.INTERRUPT_RAISE, 1);
      assert.equal(await vector.wait({ timeoutMs: 20_000 }), 1);
    });
  }

  it('happens one at a time', async () => {
    await using device = await Device.open(devices.edu);
    const busy = { code: 'ERR_VFIO_BUSY', message: /is being reset/ };
    const [first, second] = [device.reset(), device.reset()];
    assert.throws(() => device.resetSync(), busy);
    await assert.rejects(second, busy);
    assert.throws(() => device.resetSync(), busy, 'the refused one has not ended the first');
    await first;
    await device.reset();
    device.resetSync();
  });

  it('is refused where the kernel knows no way', async () => {
    const methods = `/sys/bus/pci/devices/${devices.testdev}/reset_method`;
    const previous = fs.readFileSync(methods, 'utf8');
    fs.writeFileSync(methods, '\n');
    try {
      await using device = await Device.open(devices.testdev);
      assert.equal(device.info.reset, false);
      const unsupported = { code: 'ERR_VFIO_UNSUPPORTED', message: /0000:05:00\.0 has no reset of its own/ };
      await assert.rejects(device.reset(), unsupported);
      assert.throws(() => device.resetSync(), unsupported);
    } finally {
      fs.writeFileSync(methods, previous);
    }
  });
});
