import assert from 'node:assert/strict';
import { Device } from 'vfio';
import { devices } from '../../../lab/devices';
import { createProcess } from '../../support/processes';
import { needs } from '../../support/needs';
import { bound, opened } from '../support/bound';
import { Reg } from '../support/nic';
import { labSuite } from '../support/suite';
import { Command, readCommand } from '../support/sysfs';

/** pci-testdev: which of its tests is chosen, the first byte of its memory BAR. A reset makes it 0. */
const chosenTest = 0;

labSuite('guide: resets that happen by themselves', () => {
  needs({ iommu: true, devices: [devices.testdev] });
  bound(devices.testdev);

  it('between one user of a device and the next', async () => {
    const first = await Device.open(devices.testdev);
    first.bar(0).write8(chosenTest, 1);
    await first.close();
    await using second = await Device.open(devices.testdev);
    assert.equal(second.bar(0).read8(chosenTest), 0);
  });

  it('also when the first was killed, without a chance to do anything', async () => {
    const { signal } = await createProcess(({ vfio: { Device } }, address) => {
      const device = Device.openSync(address);
      device.bar(0).write8(0, 1);
      device.enableBusMaster();
      process.kill(process.pid, 'SIGKILL');
    }, devices.testdev);
    assert.equal(signal, 'SIGKILL');
    assert.equal(readCommand(devices.testdev) & Command.BUS_MASTER, 0);
    await using device = await Device.open(devices.testdev);
    assert.equal(device.bar(0).read8(chosenTest), 0);
  });
});

labSuite('guide: devices without a reset of their own, all of the bus on vfio-pci', () => {
  needs({ iommu: true, devices: [devices.pairEdu, devices.pairTestdev] });
  bound(devices.pairEdu, devices.pairTestdev);

  it('the kernel resets the bus when the last one is closed', async () => {
    const device = await Device.open(devices.pairTestdev);
    assert.equal(device.info.reset, false);
    device.bar(0).write8(chosenTest, 1);
    await device.close();
    await using next = await Device.open(devices.pairTestdev);
    assert.equal(next.bar(0).read8(chosenTest), 0);
  });

  it('and not before: the next user finds what the one before left', async () => {
    await using neighbour = await Device.open(devices.pairEdu);
    const device = await Device.open(devices.pairTestdev);
    device.bar(0).write8(chosenTest, 1);
    await device.close();
    {
      await using next = await Device.open(devices.pairTestdev);
      assert.equal(next.bar(0).read8(chosenTest), 1);
      await next.hotReset();
      assert.equal(next.bar(0).read8(chosenTest), 0, 'hotReset() is the way out');
    }
    assert.equal(neighbour.closed, false);
  });
});

labSuite('guide: a device without a reset of its own, another one of the bus not on vfio-pci', () => {
  needs({ iommu: true, devices: [devices.pairEdu, devices.pairTestdev] });
  bound(devices.pairTestdev);

  it('nobody ever resets it', async () => {
    const device = await Device.open(devices.pairTestdev);
    device.bar(0).write8(chosenTest, 1);
    await device.close();
    await using next = await Device.open(devices.pairTestdev);
    assert.equal(next.bar(0).read8(chosenTest), 1);
    assert.equal(next.hotResetPlan().possible, false);
    next.bar(0).write8(chosenTest, 0);
  });
});

labSuite('guide: what a reset does to a driver', () => {
  needs({ iommu: true, devices: [devices.nicA, devices.edu] });
  const nic = opened(devices.nicA);

  it('accesses during a reset wait for its end; none fails', async () => {
    const { device } = nic;
    using registers = device.bar(0).map();
    let resetting = true;
    const reset = device.reset().finally(() => (resetting = false));
    let reads = 0;
    do {
      assert.notEqual(registers.read32(Reg.STATUS), 0xffff_ffff);
      assert.notEqual(device.bar(0).read32(Reg.STATUS), 0xffff_ffff);
      reads++;
      await new Promise(resolve => setImmediate(resolve));
    } while (resetting);
    await reset;
    assert(reads > 0);
  });

  it('what the kernel keeps is kept: bus mastering and armed vectors', async () => {
    const { device } = nic;
    const [first] = device.msix.enable(1);
    device.enableBusMaster();
    await device.reset();
    assert.equal(device.config.busMaster, true);
    assert.deepEqual(device.msix.enabled, [first]);
    first.trigger();
    assert((await first.wait({ timeoutMs: 20_000 })) > 0);
    device.msix.disable();
    device.disableBusMaster();
  });
});

labSuite('guide: what a reset does to a device', () => {
  needs({ iommu: true, devices: [devices.testdev] });
  const testdev = opened(devices.testdev);

  it('what only the device knew is to be set again', async () => {
    const { device } = testdev;
    device.bar(0).write8(chosenTest, 1);
    await device.reset();
    assert.equal(device.bar(0).read8(chosenTest), 0);
  });
});
