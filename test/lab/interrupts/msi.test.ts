import assert from 'node:assert/strict';
import { devices } from '../../../lab/devices';
import { covers } from '../../support/covers';
import { opened } from '../support/bound';
import { EduCard } from '../support/edu';
import { silence } from '../support/interrupts';
import { labSuite } from '../support/suite';

labSuite('MSI', () => {
  const edu = opened(devices.edu);
  const nvme = opened(devices.nvme);
  let card: EduCard;
  before(() => (card = new EduCard(edu.device)));
  afterEach(() => {
    card.acknowledge();
    edu.device.msi.disable();
    edu.device.disableBusMaster();
  });

  it('does not arrive before bus mastering is on, and the time-out says so', async () => {
    const [vector] = edu.device.msi.enable(1);
    card.raise();
    await assert.rejects(vector.wait({ timeoutMs: 50 }), {
      code: 'ERR_VFIO_TIMEOUT',
      address: devices.edu,
      message:
        /No interrupt on MSI vector 0 of 0000:04:00\.0 within 50 ms.*bus mastering is off.*enableBusMaster\(\)/,
    });
    card.acknowledge();
    edu.device.enableBusMaster();
    card.raise();
    assert.equal(await vector.wait({ timeoutMs: 20_000 }), 1);
    await assert.rejects(
      vector.wait({ timeoutMs: 20 }),
      (error: Error) => !error.message.includes('bus master'),
    );
  });

  it('comes once for each message the device sends', async () => {
    edu.device.enableBusMaster();
    const [vector] = edu.device.msi.enable(1);
    for (let i = 1; i <= 10; i++) {
      card.raise();
      assert.equal(await vector.wait({ timeoutMs: 20_000 }), 1);
      assert.equal(vector.total, i);
    }
    await silence(vector);
    covers('VFIO_PCI_MSI_IRQ_INDEX', 'VFIO_DEVICE_SET_IRQS');
  });

  it('stops when it is disabled, and works when it is enabled again', async () => {
    edu.device.enableBusMaster();
    const [first] = edu.device.msi.enable(1);
    assert.deepEqual(
      [edu.device.msi.count, edu.device.msi.enabled, edu.device.msi.vector(0)],
      [1, [first], first],
    );
    edu.device.msi.disable();
    assert.deepEqual([first.closed, edu.device.msi.enabled, edu.device.msi.vector(0)], [true, [], undefined]);
    const [second] = edu.device.msi.enable({ count: 1 });
    card.raise();
    assert.equal(await second.wait({ timeoutMs: 20_000 }), 1);
    assert.equal(first.total, 0);
    second.close();
    second.close();
    assert.deepEqual(edu.device.msi.enabled, []);
  });

  it('does not exist on every device', () => {
    assert.equal(nvme.device.msi.count, 0);
    assert.throws(() => nvme.device.msi.enable(1), {
      code: 'ERR_VFIO_UNSUPPORTED',
      message: /0000:03:00\.0 has no MSI$|0000:03:00\.0 has no MSI\b/,
    });
  });
});
