import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { IrqVector, Mapping } from 'vfio';
import { devices } from '../../../lab/devices';
import { covers } from '../../support/covers';
import { opened } from '../support/bound';
import { silence } from '../support/interrupts';
import { allSent, Cause, interruptFor, routeInterrupts, SPACING_MS } from '../support/nic';
import { labSuite } from '../support/suite';

labSuite('MSI-X sent by the device itself', () => {
  const nic = opened(devices.nicA);
  let registers: Mapping;
  let vectors: IrqVector[];
  before(() => (registers = nic.device.bar(0).map()));
  beforeEach(() => {
    vectors = nic.device.msix.enable(3);
    routeInterrupts(registers);
  });
  afterEach(async () => {
    await allSent();
    nic.device.msix.disable();
    nic.device.disableBusMaster();
  });
  /** Interrupt moderation may send once more what came before; that is taken here, and not for what comes next. */
  const settle = async (): Promise<void> => {
    await allSent();
    for (const vector of nic.device.msix.enabled) vector.waitSync(0);
  };
  const causes = [Cause.RXQ0, Cause.TXQ0, Cause.LINK_STATUS_CHANGE | Cause.OTHER];

  it('does not arrive before bus mastering is on', async () => {
    for (const cause of causes) interruptFor(registers, cause);
    await silence(...vectors);
  });

  it('arrives on the vector that the device was told to use, and on no other', async () => {
    nic.device.enableBusMaster();
    for (const [i, cause] of causes.entries()) {
      await settle();
      const others = vectors.filter(vector => vector.index !== i);
      const fired = vectors[i]?.wait({ timeoutMs: 20_000 });
      const quiet = silence(...others);
      interruptFor(registers, cause);
      await Promise.all([fired, quiet]);
    }
    assert.ok(vectors.every(vector => vector.total > 0));
    covers('VFIO_PCI_MSIX_IRQ_INDEX', 'VFIO_DEVICE_SET_IRQS');
  });

  it('arrives on a vector that was added later, and not on one that was closed', async () => {
    nic.device.enableBusMaster();
    nic.device.msix.disable();
    const [first] = nic.device.msix.enable(1);
    const [second] = nic.device.msix.enable({ start: 1, count: 1 });
    await settle();
    const before = first.total;
    interruptFor(registers, Cause.TXQ0);
    assert.ok((await second.wait({ timeoutMs: 20_000 })) > 0);
    await settle();
    second.close();
    interruptFor(registers, Cause.TXQ0);
    await silence(first);
    const fired = first.wait({ timeoutMs: 20_000 });
    interruptFor(registers, Cause.RXQ0);
    await fired;
    assert.ok(first.total > before);
  });

  it('comes as often as the device sends it', async () => {
    nic.device.enableBusMaster();
    const [vector] = vectors as [IrqVector];
    for (let i = 1; i <= 20; i++) {
      const fired = vector.wait({ timeoutMs: 20_000 });
      interruptFor(registers, Cause.RXQ0);
      await fired;
      await sleep(SPACING_MS);
    }
    assert.ok(vector.total >= 20, `${vector.total}`);
  });
});
