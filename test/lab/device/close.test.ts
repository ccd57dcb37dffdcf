import assert from 'node:assert/strict';
import { Device } from 'vfio';
import { devices } from '../../../lab/devices';
import { bound } from '../support/bound';
import { Edu } from '../support/edu';
import { held } from '../support/held';
import { labSuite } from '../support/suite';

labSuite('closing a device', () => {
  bound(devices.edu);

  it('happens once, however often and however it is asked for, and says so once', async () => {
    const before = held();
    const device = await Device.open(devices.edu);
    let closes = 0;
    device.on('close', () => closes++);
    const [first, second] = [device.close(), device.close()];
    assert.equal(first, second);
    device.closeSync();
    await first;
    await device.close();
    device.closeSync();
    await device[Symbol.asyncDispose]();
    device[Symbol.dispose]();
    assert.equal(closes, 1);
    assert.deepEqual(held(), before);
  });

  it('waits for a reset that is under way', async () => {
    const device = await Device.open(devices.edu);
    let reset = false;
    const resetting = device.reset().then(() => (reset = true));
    assert.throws(() => device.closeSync(), { code: 'ERR_VFIO_BUSY', message: /is being reset/ });
    await device.close();
    assert.equal(reset, true);
    await resetting;
    assert.equal(device.closed, true);
  });

  it('waits for memory that is being mapped, and frees it', async () => {
    const before = held();
    const device = await Device.open(devices.edu);
    const [mapping] = await Promise.allSettled([device.dma.allocAsync(2 ** 22), device.close()]);
    if (mapping.status === 'fulfilled') assert.equal(mapping.value.freed, true);
    else assert.equal((mapping.reason as { code: string }).code, 'ERR_VFIO_CLOSED');
    assert.deepEqual(held(), before);
  });

  it('stops the device first: interrupts and bus mastering are off when the next one opens it', async () => {
    const device = await Device.open(devices.edu);
    device.enableBusMaster();
    const [vector] = device.msi.enable(1);
    await device.close();
    assert.equal(vector.closed, true);
    assert.deepEqual(device.msi.enabled, []);
    await using again = await Device.open(devices.edu);
    assert.equal(again.config.busMaster, false);
    assert.equal(again.bar(0).read32(Edu.INTERRUPT_STATUS), 0);
    assert.equal(again.msi.enable(1).length, 1);
  });

  it('can be followed by opening at once, many times over', async () => {
    for (let i = 0; i < 5; i++) {
      const device = await Device.open(devices.edu);
      assert.equal(device.bar(0).map().read32(Edu.ID), 0x0100_00ed);
      await device.close();
    }
  });
});
