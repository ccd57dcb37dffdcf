import assert from 'node:assert/strict';
import { Device } from 'vfio';
import { devices } from '../../../lab/devices';
import { needs } from '../../support/needs';
import { bound } from '../support/bound';
import { EduCard } from '../support/edu';
import { loopback } from '../support/interrupts';
import { allSent, Cause, interruptFor, Reg, routeInterrupts } from '../support/nic';
import { labSuite } from '../support/suite';

const limit = { timeoutMs: 20_000 };

labSuite('no-IOMMU mode: interrupts', () => {
  needs({ profile: 'no-iommu', devices: [devices.edu, devices.nicA] });
  bound(devices.edu, devices.nicA);

  it('MSI-X works the same: triggered by software, and sent by the device', async () => {
    await using device = await Device.open(devices.nicA, { noIommu: true });
    using registers = device.bar(0).map();
    const vectors = device.msix.enable(3);
    await loopback(vectors);
    routeInterrupts(registers);
    device.enableBusMaster();
    for (const [i, cause] of [Cause.RXQ0, Cause.TXQ0, Cause.OTHER].entries()) {
      interruptFor(registers, cause);
      assert(((await vectors[i]?.wait(limit)) ?? 0) > 0, `vector ${i}`);
    }
    registers.write32(Reg.IMC, 0xffff_ffff);
    await allSent();
  });

  it('MSI and INTx work the same', async () => {
    await using device = await Device.open(devices.edu, { noIommu: true });
    const edu = new EduCard(device);
    const line = device.intx.enable();
    edu.raise();
    assert.equal(await line.wait(limit), 1);
    edu.acknowledge();
    device.intx.acknowledge();
    device.intx.disable();

    device.enableBusMaster();
    const [message] = device.msi.enable(1);
    edu.raise();
    assert.equal(await message.wait(limit), 1);
    edu.acknowledge();
  });
});
