import assert from 'node:assert/strict';
import { Device, IrqIndex } from 'vfio';
import { devices } from '../../../lab/devices';
import { native } from '../../../lib/native';
import { refusal } from '../../support/covers';
import { needs } from '../../support/needs';
import { bound, opened } from '../support/bound';
import { EduCard } from '../support/edu';
import { silence } from '../support/interrupts';
import { allSent, Cause, Reg, routeInterrupts } from '../support/nic';
import { labSuite } from '../support/suite';
import { Command } from '../support/sysfs';

const limit = { timeoutMs: 20_000 };

labSuite('guide: masking INTx', () => {
  needs({ iommu: true, devices: [devices.edu] });
  bound(devices.edu);

  it('is done by the kernel, and lost is nothing: what is asserted meanwhile comes at the unmask', async () => {
    await using device = await Device.open(devices.edu);
    const edu = new EduCard(device);
    const line = device.intx.enable();
    device.intx.mask();
    edu.raise();
    await silence(line);
    device.intx.unmask();
    assert.equal(await line.wait(limit), 1);
    edu.acknowledge();
    device.intx.acknowledge();
  });

  it('is also done by the bit of the command register that is made for it', async () => {
    await using device = await Device.open(devices.edu);
    const edu = new EduCard(device);
    const { config } = device;
    const line = device.intx.enable();
    config.write16(4, config.command | Command.INTX_DISABLE);
    edu.raise();
    await silence(line);
    config.write16(4, config.command & ~Command.INTX_DISABLE);
    assert.equal(await line.wait(limit), 1);
    edu.acknowledge();
    device.intx.acknowledge();
  });
});

labSuite('guide: masking MSI and MSI-X', () => {
  needs({ iommu: true, devices: [devices.nicA, devices.edu] });
  const nic = opened(devices.nicA);

  for (const kind of ['msi', 'msix'] as const) {
    it(`is something the kernel does not offer for ${kind}`, () => {
      const { device } = nic;
      const index = kind === 'msi' ? IrqIndex.Msi : IrqIndex.Msix;
      assert.equal(device.irq(index).maskable, false);
      device[kind].enable(1);
      for (const action of ['mask', 'unmask'] as const) {
        assert.throws(() => native().irqAction(device.handle, index, action, 0, 1), {
          code: 'ENOTTY',
          syscall: 'VFIO_DEVICE_SET_IRQS',
        });
      }
      device[kind].disable();
      refusal('VFIO_IRQ_SET_ACTION_MASK', 'VFIO_IRQ_SET_ACTION_UNMASK');
    });
  }

  it('is done in the device: its own mask holds interrupts back and lets them through later', async () => {
    const { device } = nic;
    using registers = device.bar(0).map();
    const [vector] = device.msix.enable(1);
    device.enableBusMaster();
    routeInterrupts(registers);
    registers.write32(Reg.IMC, Cause.RXQ0);
    registers.write32(Reg.ICS, Cause.RXQ0);
    registers.read32(Reg.STATUS);
    await silence(vector);
    registers.write32(Reg.IMS, Cause.RXQ0);
    assert((await vector.wait(limit)) > 0);
    registers.write32(Reg.IMC, 0xffff_ffff);
    // QEMU 7.2 aborts when MSI-X goes while the device still holds an interrupt back.
    await allSent();
    device.msix.disable();
    device.disableBusMaster();
  });
});
