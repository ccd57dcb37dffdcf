import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { Device } from 'vfio';
import { devices } from '../../../lab/devices';
import { covers } from '../../support/covers';
import { createProcess } from '../../support/processes';
import { needs } from '../../support/needs';
import { bound } from '../support/bound';
import { Edu } from '../support/edu';
import { labSuite } from '../support/suite';

labSuite('low power', () => {
  needs({ iommu: true, devices: [devices.nicA, devices.edu] });
  bound(devices.nicA, devices.edu);

  const attribute = (address: string, name: string): string =>
    fs.readFileSync(`/sys/bus/pci/devices/${address}/${name}`, 'utf8').trim();
  const status = (address: string): string => attribute(address, 'power/runtime_status');

  /** The kernel puts devices to sleep a little later. */
  async function becomes(address: string, wanted: string): Promise<void> {
    for (let i = 0; i < 200; i++) {
      if (status(address) === wanted) return;
      await pause(20);
    }
    assert.fail(`${address} is ${status(address)}, not ${wanted}`);
  }

  it('lets a device sleep, which an access wakes for as long as it takes', async () => {
    await using device = await Device.open(devices.nicA);
    const registers = device.bar(0);
    assert.equal(status(devices.nicA), 'active');
    device.features.lowPower.enter();
    await becomes(devices.nicA, 'suspended');
    assert.equal(attribute(devices.nicA, 'power_state'), 'D3hot');
    assert.notEqual(registers.read32(8), 0xffff_ffff, 'STATUS, by the file');
    await becomes(devices.nicA, 'suspended');
    assert.equal(device.config.vendorId, 0x8086);
    await becomes(devices.nicA, 'suspended');
    device.features.lowPower.exit();
    assert.equal(status(devices.nicA), 'active');
    await pause(100);
    assert.equal(status(devices.nicA), 'active', 'and stays awake');
    covers('VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY', 'VFIO_DEVICE_FEATURE_LOW_POWER_EXIT');
  });

  it('lets a device sleep until an access wakes it, and says so', async () => {
    await using device = await Device.open(devices.nicA);
    let woken = false;
    const sleeping = device.features.lowPower.sleep().then(() => (woken = true));
    await becomes(devices.nicA, 'suspended');
    assert.equal(woken, false);
    device.bar(0).read32(8);
    await sleeping;
    assert.equal(status(devices.nicA), 'active');
    await pause(100);
    assert.equal(status(devices.nicA), 'active', 'and stays awake');
    covers('VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP');
  });

  it('sleeps again and again', async () => {
    await using device = await Device.open(devices.edu);
    for (let i = 0; i < 3; i++) {
      const sleeping = device.features.lowPower.sleep();
      await becomes(devices.edu, 'suspended');
      assert.equal(device.bar(0).read32(Edu.ID) & 0xffff, 0xed);
      await sleeping;
    }
  });

  it('ends the sleep by exit(), even before the device really sleeps', async () => {
    await using device = await Device.open(devices.edu);
    const { lowPower } = device.features;
    const first = lowPower.sleep();
    lowPower.exit();
    await first;
    const second = lowPower.sleep();
    await becomes(devices.edu, 'suspended');
    lowPower.exit();
    await second;
    lowPower.exit();
    assert.equal(status(devices.edu), 'active');
  });

  it('is entered once', async () => {
    await using device = await Device.open(devices.edu);
    const { lowPower } = device.features;
    const busy = { code: 'ERR_VFIO_BUSY', message: /is let sleep already\. Try: lowPower\.exit\(\) first/ };
    lowPower.enter();
    assert.throws(() => lowPower.enter(), busy);
    await assert.rejects(lowPower.sleep(), busy);
    lowPower.exit();
    const sleeping = lowPower.sleep();
    await assert.rejects(lowPower.sleep(), busy);
    lowPower.exit();
    await sleeping;
  });

  it('does not outlive the device, and the wait for its end does not either', async () => {
    const device = await Device.open(devices.edu);
    const { lowPower } = device.features;
    const sleeping = lowPower.sleep();
    const closed = assert.rejects(sleeping, {
      code: 'ERR_VFIO_CLOSED',
      message: `Device ${devices.edu} is closed`,
    });
    await becomes(devices.edu, 'suspended');
    await device.close();
    await closed;
    assert.throws(() => lowPower.enter(), { code: 'ERR_VFIO_CLOSED' });
    assert.throws(() => lowPower.exit(), { code: 'ERR_VFIO_CLOSED' });
    await assert.rejects(lowPower.sleep(), { code: 'ERR_VFIO_CLOSED' });
  });

  it('makes mapped registers read all-ones, until the device is awake again', async () => {
    await using device = await Device.open(devices.edu);
    using registers = device.bar(0).map();
    assert.equal(registers.read32(Edu.ID) & 0xffff, 0xed);
    device.features.lowPower.enter();
    await becomes(devices.edu, 'suspended');
    assert.equal(registers.read32(Edu.ID), 0xffff_ffff);
    device.features.lowPower.exit();
    assert.equal(registers.read32(Edu.ID) & 0xffff, 0xed, 'the same mapping');
  });

  it('keeps a process alive while it sleeps, and no longer', async () => {
    const { stdout, code } = await createProcess(async ({ vfio: { Device } }, address) => {
      const device = await Device.open(address);
      const sleeping = device.features.lowPower.sleep();
      setInterval(() => device.config.vendorId, 300).unref();
      await sleeping;
      process.stdout.write('woken');
      await device.close();
    }, devices.edu);
    assert.deepEqual([stdout, code], ['woken', 0]);
  });
});
