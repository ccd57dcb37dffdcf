import assert from 'node:assert/strict';
import { IrqIndex, type IrqVector, type Mapping } from 'vfio';
import { devices } from '../../../lab/devices';
import { covers } from '../../support/covers';
import { opened } from '../support/bound';
import { loopback, silence } from '../support/interrupts';
import { allSent, Cause, interruptFor, routeInterrupts } from '../support/nic';
import { labSuite } from '../support/suite';

labSuite('dynamic MSI-X (kernel 6.5)', () => {
  const nic = opened(devices.nicA);
  const nvme = opened(devices.nvme);
  afterEach(async () => {
    await allSent();
    nic.device.msix.disable();
    nvme.device.msix.disable();
  });

  it('is announced', () => {
    assert.equal(nic.device.irq(IrqIndex.Msix).noResize, false);
    assert.equal(nic.device.msix.canGrow, true);
    assert.equal(nic.device.irq(IrqIndex.Msi).noResize, true);
    assert.equal(nic.device.msi.canGrow, false);
    covers('VFIO_IRQ_INFO_NORESIZE');
  });

  it('adds vectors one by one, in any order, and those there were hear nothing of it', async () => {
    const { msix } = nvme.device;
    const vectors: IrqVector[] = [];
    for (const index of [7, 0, 64, 3, 31]) {
      vectors.push(...msix.enable({ start: index, count: 1 }));
      await silence(...vectors);
    }
    assert.deepEqual(
      msix.enabled.map(vector => vector.index),
      [0, 3, 7, 31, 64],
    );
    await loopback(vectors);
    msix.vector(31)?.close();
    await loopback(msix.enabled);
    msix.enable({ start: 31, count: 2 });
    await loopback(msix.enabled);
  });

  it('loses no interrupt of the device while vectors come and go around it', async () => {
    const { device } = nic;
    const registers: Mapping = device.bar(0).map();
    device.enableBusMaster();
    const [first] = device.msix.enable(1);
    routeInterrupts(registers);
    for (let i = 1; i < device.msix.count; i++) {
      const fired = first.wait({ timeoutMs: 20_000 });
      const [other] = device.msix.enable({ start: i, count: 1 });
      interruptFor(registers, Cause.RXQ0);
      if (i % 2 === 0) other.close();
      await fired;
    }
    assert.ok(first.total >= device.msix.count - 1);
    device.disableBusMaster();
    registers.close();
  });
});
