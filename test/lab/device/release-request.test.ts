import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Device, IrqIndex, VfioError } from 'vfio';
import { devices } from '../../../lab/devices';
import { native } from '../../../lib/native';
import { covers } from '../../support/covers';
import { bound } from '../support/bound';
import { Edu } from '../support/edu';
import { held } from '../support/held';
import { labSuite } from '../support/suite';
import { driverOf } from '../support/sysfs';

labSuite('what the kernel says about a device', () => {
  bound(devices.nicA, devices.edu);

  /** Another process takes the device away; the kernel makes it wait until the device is released. */
  function unbind(address: string): Promise<unknown> {
    const shell = spawn('sh', ['-c', `echo ${address} > /sys/bus/pci/drivers/vfio-pci/unbind`]);
    return once(shell, 'exit');
  }
  async function rebind(address: string): Promise<void> {
    const shell = spawn('sh', ['-c', `echo ${address} > /sys/bus/pci/drivers_probe`]);
    await once(shell, 'exit');
    assert.equal(driverOf(address), 'vfio-pci');
  }

  it('the default answer to a release request is closing, and the unbind goes through', async () => {
    const before = held();
    const device = await Device.open(devices.edu);
    device.dma.alloc(4096);
    device.msi.enable(1);
    const closed = once(device, 'close');
    const unbound = unbind(devices.edu);
    await closed;
    await unbound;
    assert.equal(driverOf(devices.edu), undefined);
    assert.deepEqual(held(), before);
    await rebind(devices.edu);
    await Device.open(devices.edu).then(again => again.close());
  });

  it('a listener decides itself: the request comes once, and the device works until it is closed', async () => {
    await using device = await Device.open(devices.edu);
    let requests = 0;
    device.on('release-request', () => requests++);
    const unbound = unbind(devices.edu);
    await once(device, 'release-request');
    assert.equal(device.closed, false);
    assert.equal(device.bar(0).read32(Edu.ID), 0x0100_00ed);
    // The kernel asks again after ten seconds; that this is still one request is shown below without the waiting.
    await device.close();
    await unbound;
    assert.equal(requests, 1);
    await rebind(devices.edu);
    covers('VFIO_PCI_REQ_IRQ_INDEX');
  });

  it('ERR and REQ are armed from the start', async () => {
    await using device = await Device.open(devices.nicA);
    assert.deepEqual(
      [device.irq(IrqIndex.Err), device.irq(IrqIndex.Req)].map(({ name, count }) => [name, count]),
      [
        ['ERR', 1],
        ['REQ', 1],
      ],
    );
    const requests: unknown[] = [];
    device.on('release-request', () => requests.push(1));
    const failed = once(device, 'error');
    // The loopback of the kernel: the same eventfds that it signals for real.
    const trigger = (index: number): void => native().irqAction(device.handle, index, 'trigger', 0, 1);
    trigger(IrqIndex.Req);
    await once(device, 'release-request');
    trigger(IrqIndex.Req);
    trigger(IrqIndex.Err);
    const [error] = (await failed) as [unknown];
    assert.ok(error instanceof VfioError);
    assert.equal(error.code, 'ERR_VFIO_DEVICE_ERROR');
    assert.equal(error.address, devices.nicA);
    assert.equal(requests.length, 1, 'asked again it is still the same request');
    covers('VFIO_PCI_ERR_IRQ_INDEX', 'VFIO_PCI_REQ_IRQ_INDEX');
  });

  it('an error that nobody listens to is a warning, and does not end the process', async () => {
    await using device = await Device.open(devices.nicA);
    const warned = once(process, 'warning');
    native().irqAction(device.handle, IrqIndex.Err, 'trigger', 0, 1);
    const [warning] = (await warned) as [VfioError];
    assert.match(warning.message, /0000:01:00\.0 reported an uncorrectable PCI error/);
  });
});
