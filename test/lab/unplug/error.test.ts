import assert from 'node:assert/strict';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { Device, VfioError } from 'vfio';
import { devices } from '../../../lab/devices';
import { needs } from '../../support/needs';
import { bound } from '../support/bound';
import { cardIn, Monitor, slotOf } from '../support/monitor';
import { labSuite } from '../support/suite';

labSuite('errors that a device reports (AER)', function () {
  needs({ iommu: true, devices: [devices.rng] });
  bound(devices.rng);
  this.timeout(60_000);

  /** QEMU raises it as the device would; the names are of the PCI Express specification, section 7.8.4. */
  const inject = async (error: string): Promise<void> => {
    using monitor = await Monitor.connect();
    const command = `pcie_aer_inject_error ${cardIn(slotOf(devices.rng))} ${error}`;
    const said = await monitor.execute('human-monitor-command', { 'command-line': command });
    assert.match(String(said), /^OK/);
  };

  it('that are uncorrectable and not fatal are events, and the device still works', async () => {
    await using device = await Device.open(devices.rng);
    const failed = once(device, 'error');
    await inject('COMP_TIME');
    const [error] = (await failed) as [unknown];
    assert.ok(error instanceof VfioError);
    assert.deepEqual([error.code, error.address], ['ERR_VFIO_DEVICE_ERROR', devices.rng]);
    assert.equal(device.config.vendorId, 0x1af4);
  });

  it('that are corrected are not told', async () => {
    await using device = await Device.open(devices.rng);
    const errors: unknown[] = [];
    device.on('error', error => errors.push(error));
    await inject('RCVR');
    await pause(500);
    assert.deepEqual(errors, []);
  });
});
