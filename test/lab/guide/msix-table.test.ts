import assert from 'node:assert/strict';
import type { Mapping } from 'vfio';
import { devices } from '../../../lab/devices';
import { needs } from '../../support/needs';
import { opened } from '../support/bound';
import { silence } from '../support/interrupts';
import { allSent, Cause, interruptFor, Reg, routeInterrupts } from '../support/nic';
import { labSuite } from '../support/suite';

/** An entry of the MSI-X table: address, data, mask bit. */
const Entry = { ADDRESS: 0, DATA: 8, CONTROL: 12 } as const;
/** In the capability. */
const Msix = { CONTROL: 2, FUNCTION_MASK: 1 << 14, ENABLE: 1 << 15 } as const;

labSuite('guide: the MSI-X table', () => {
  needs({ iommu: true, devices: [devices.nicA, devices.edu] });
  const nic = opened(devices.nicA);
  let registers: Mapping;
  let table: Mapping;
  let at: number;
  before(() => {
    const { device } = nic;
    registers = device.bar(0).map();
    const where = device.config.msixTable();
    assert(where !== undefined);
    table = device.bar(where.bar).map();
    at = where.offset;
  });

  /** The kernel sends once more what interrupt moderation held back. */
  async function arrives(): Promise<boolean> {
    const [vector] = nic.device.msix.enabled;
    assert(vector !== undefined);
    await allSent();
    vector.waitSync(0);
    interruptFor(registers, Cause.RXQ0);
    const [outcome] = await Promise.allSettled([vector.wait({ timeoutMs: 1000 })]);
    return outcome.status === 'fulfilled';
  }

  it('is set up by the kernel: enabling a vector is all', async () => {
    assert.equal(table.read32(at + Entry.CONTROL) & 1, 1, 'masked before');
    nic.device.msix.enable(1);
    nic.device.enableBusMaster();
    routeInterrupts(registers);
    assert.notEqual(table.read32(at + Entry.ADDRESS), 0);
    assert.equal(table.read32(at + Entry.CONTROL) & 1, 0, 'the kernel took the mask off');
    assert.equal(await arrives(), true);
  });

  it('is not seen by system calls, whose writes to it are dropped', async () => {
    const bar = nic.device.bar(nic.device.config.msixTable()?.bar ?? 0);
    const address = table.read32(at + Entry.ADDRESS);
    bar.write32(at + Entry.ADDRESS, 0);
    assert.equal(bar.read32(at + Entry.ADDRESS), 0xffff_ffff);
    assert.equal(table.read32(at + Entry.ADDRESS), address);
    assert.equal(await arrives(), true);
  });

  it('written through a mapping, it is only broken: until the vector is enabled anew', async () => {
    const address = table.read32(at + Entry.ADDRESS);
    table.write32(at + Entry.ADDRESS, 0);
    assert.equal(await arrives(), false);
    table.write32(at + Entry.ADDRESS, address);
    await allSent();
    nic.device.msix.disable();
    nic.device.msix.enable(1);
    assert.equal(await arrives(), true);
  });

  it('has a mask bit for each vector that works, and that the kernel does not know about', async () => {
    const [vector] = nic.device.msix.enabled;
    assert(vector !== undefined);
    await allSent();
    vector.waitSync(0);
    table.write32(at + Entry.CONTROL, 1);
    interruptFor(registers, Cause.RXQ0);
    await silence(vector);
    table.write32(at + Entry.CONTROL, 0);
    assert((await vector.wait({ timeoutMs: 20_000 })) > 0, 'it was pending');
  });

  it('has no function mask or enable bit that its user could move', async () => {
    const { config } = nic.device;
    const control = (config.find('MSI-X')?.offset ?? assert.fail('no MSI-X')) + Msix.CONTROL;
    const before = config.read16(control);
    config.write16(control, before | Msix.FUNCTION_MASK);
    assert.equal(await arrives(), true);
    config.write16(control, before & ~Msix.ENABLE);
    assert.equal(await arrives(), true);
    registers.write32(Reg.IMC, 0xffff_ffff);
    // QEMU 7.2 aborts when MSI-X goes while the device still holds an interrupt back.
    await allSent();
    nic.device.msix.disable();
    nic.device.disableBusMaster();
  });
});
