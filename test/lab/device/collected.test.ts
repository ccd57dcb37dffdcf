import assert from 'node:assert/strict';
import { Device } from 'vfio';
import { devices } from '../../../lab/devices';
import { openDevices } from '../../../lib/pci/exit';
import { bound } from '../support/bound';
import { ADDRESS_BITS, Edu, EduCard } from '../support/edu';
import { collect, collectUntil } from '../support/gc';
import { held } from '../support/held';
import { labSuite } from '../support/suite';

labSuite('what nobody holds any more', () => {
  bound(devices.edu);

  it('DMA memory stays mapped: a device may write to it at any moment', async () => {
    await using device = await Device.open(devices.edu);
    const card = new EduCard(device);
    device.enableBusMaster();
    const iova = (() => device.dma.alloc(4096, { addressBits: ADDRESS_BITS }).iova)();
    await collect();
    assert.equal(held().objects.dmaMaps, 1);
    const [buffer = assert.fail()] = device.dma.buffers;
    assert.equal(buffer.iova, iova);
    buffer.u8.fill(9);
    await card.readFrom(iova, 64);
    buffer.u8.fill(0);
    await card.writeTo(iova, 64);
    assert.ok(buffer.u8.subarray(0, 64).every(byte => byte === 9));
  });

  it('an armed vector goes on being heard, and an open device stays open', async () => {
    let heard = 0;
    const triggering = (() => {
      const device = Device.openSync(devices.edu);
      const [vector] = device.msi.enable(1);
      vector.on('interrupt', count => (heard += count));
      return new WeakRef(vector);
    })();
    await collect();
    triggering.deref()?.trigger();
    await new Promise(resolve => setTimeout(resolve, 20));
    assert.equal(heard, 1);
    assert.equal(held().objects.devices, 1);
    await assert.rejects(Device.open(devices.edu), { code: 'ERR_VFIO_BUSY' });
    for (const forgotten of openDevices()) forgotten.endSync();
  });

  it('a mapping goes, and the device answers on others', async () => {
    await using device = await Device.open(devices.edu);
    const before = held().deviceMappings;
    (() => {
      for (let i = 0; i < 5; i++) device.bar(0).map().read32(Edu.ID);
    })();
    assert.equal(held().deviceMappings, before + 5);
    await collectUntil(() => held().deviceMappings === before);
    assert.equal(device.bar(0).map().read32(Edu.ID), 0x0100_00ed);
  });
});
