import assert from 'node:assert/strict';
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { bindDevice, bindDeviceSync, Device, VfioError } from 'vfio';
import { devices } from '../../../lab/devices';
import { Edu, EduCard } from '../support/edu';
import { held } from '../support/held';
import { Monitor, slotOf } from '../support/monitor';
import { becomes, present, pulling } from '../support/replug';
import { labSuite } from '../support/suite';
import { driverOf } from '../support/sysfs';

const ID = 0x0100_00ed;
const address = devices.edu;

/** Reads until the device is closed under it; returns what it saw, and how that ended. */
async function poll(device: Device): Promise<{ values: number[]; end: unknown }> {
  const registers = device.bar(0).map();
  const values = new Set<number>();
  try {
    for (;;) {
      for (let i = 0; i < 20; i++) values.add(registers.read32(Edu.ID));
      await turn();
    }
  } catch (error) {
    return { values: [...values], end: (error as VfioError).code };
  }
}

labSuite('a device that is pulled while it is used', function () {
  this.timeout(60_000);
  const open = (): Promise<Device> => Device.open(address, { bind: true });
  const pull = <T>(work: () => Promise<T>): Promise<T> => pulling(address, 'edu', work);

  afterEach('the card is back and works', async () => {
    await using device = await open();
    assert.equal(device.bar(0).map().read32(Edu.ID), ID);
  });

  it('is closed in order by itself, under a poll loop that sees no wrong value', async () => {
    const before = held();
    const device = await open();
    device.dma.alloc(4096);
    const kept = new Uint32Array(device.bar(0).map().buffer);
    const polling = poll(device);
    await pull(() => once(device, 'close'));
    assert.deepEqual(await polling, { values: [ID], end: 'ERR_VFIO_CLOSED' });
    assert.equal(kept[0], 0xffff_ffff);
    assert.deepEqual(held(), before);
  });

  it('is closed in order by itself, under interrupts', async () => {
    const before = held();
    const device = await open();
    const card = new EduCard(device);
    device.enableBusMaster();
    const [vector] = device.msi.enable(1);
    let interrupts = 0;
    vector.on('interrupt', () => {
      interrupts++;
      card.acknowledge();
      card.raise();
    });
    card.raise();
    while (interrupts < 10) await turn();
    const seen = interrupts;
    await pull(() => once(device, 'close'));
    assert.ok(interrupts > seen, 'until the end');
    assert.deepEqual(held(), before);
  });

  it('asks its user once, who has the time to end it well', async () => {
    const device = await open();
    let requests = 0;
    device.on('release-request', () => requests++);
    await pull(async () => {
      await once(device, 'release-request');
      assert.equal(device.bar(0).read32(Edu.ID), ID, 'it still answers');
      device.bar(0).write32(Edu.LIVENESS, 1);
      await device.close();
    });
    assert.equal(requests, 1);
  });

  it('is closed under a user who does not, when the time is over', async () => {
    const device = await open();
    device.releaseTimeoutMs = 300;
    const polling = poll(device);
    const warned = once(process, 'warning');
    device.on('release-request', () => undefined);
    await pull(() => once(device, 'close'));
    const [warning] = (await warned) as [VfioError];
    assert.equal(warning.code, 'ERR_VFIO_TIMEOUT');
    assert.match(warning.message, /0000:04:00\.0 is closed now.*had 300 ms/);
    assert.deepEqual(await polling, { values: [ID], end: 'ERR_VFIO_CLOSED' });
  });

  it('can be bound as soon as it is seen again, before the kernel lets drivers have it', async () => {
    using monitor = await Monitor.connect();
    const slot = slotOf(address);
    for (const bind of [bindDevice, bindDeviceSync, bindDevice, bindDeviceSync]) {
      await monitor.unplug(slot);
      await monitor.unplugged(slot);
      await becomes(address, false);
      await monitor.plug(slot, 'edu');
      while (!present(address));
      const binding = await bind(address);
      assert.equal(driverOf(address), 'vfio-pci');
      await binding.restore();
      assert.equal(driverOf(address), undefined);
    }
  });

  it('again and again', async () => {
    const before = held();
    for (let round = 0; round < 5; round++) {
      const device = await open();
      const polling = poll(device);
      await pull(() => once(device, 'close'));
      assert.deepEqual((await polling).values, [ID]);
    }
    assert.deepEqual(held(), before);
  });
});
