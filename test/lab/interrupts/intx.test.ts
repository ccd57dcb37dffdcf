import assert from 'node:assert/strict';
import type { IrqVector } from 'vfio';
import { devices } from '../../../lab/devices';
import { covers } from '../../support/covers';
import { opened } from '../support/bound';
import { EduCard } from '../support/edu';
import { silence } from '../support/interrupts';
import { labSuite } from '../support/suite';

labSuite('INTx', () => {
  const edu = opened(devices.edu);
  const testdev = opened(devices.testdev);
  let card: EduCard;
  let line: IrqVector;
  before(() => (card = new EduCard(edu.device)));
  beforeEach(() => {
    card.acknowledge();
    line = edu.device.intx.enable();
  });
  afterEach(() => {
    card.acknowledge();
    line.close();
  });

  it('fires when the device asserts it, without bus mastering', async () => {
    assert.equal(edu.device.config.busMaster, false);
    card.raise();
    assert.equal(await line.wait({ timeoutMs: 20_000 }), 1);
    assert.equal(edu.device.intx.enabled, line);
    assert.equal(line.index, 0);
    covers(
      'VFIO_PCI_INTX_IRQ_INDEX',
      'VFIO_DEVICE_SET_IRQS',
      'VFIO_IRQ_SET_DATA_EVENTFD',
      'VFIO_IRQ_SET_ACTION_TRIGGER',
    );
  });

  it('masks itself: there is one until it is acknowledged, to the device first', async () => {
    card.raise(1);
    await line.wait({ timeoutMs: 20_000 });
    card.raise(2);
    await silence(line);
    card.acknowledge();
    edu.device.intx.acknowledge();
    await silence(line);
    card.raise(4);
    assert.equal(await line.wait({ timeoutMs: 20_000 }), 1);
    assert.equal(line.total, 2);
    covers('VFIO_IRQ_INFO_AUTOMASKED');
  });

  it('fires again at once when it is acknowledged while the device still asserts it', async () => {
    card.raise();
    await line.wait({ timeoutMs: 20_000 });
    edu.device.intx.acknowledge();
    assert.equal(await line.wait({ timeoutMs: 20_000 }), 1);
  });

  it('is held back by mask(), and comes with unmask()', async () => {
    edu.device.intx.mask();
    card.raise();
    await silence(line);
    edu.device.intx.unmask();
    assert.equal(await line.wait({ timeoutMs: 20_000 }), 1);
    card.acknowledge();
    edu.device.intx.mask();
    edu.device.intx.mask();
    edu.device.intx.unmask();
    edu.device.intx.unmask();
    await silence(line);
    covers('VFIO_IRQ_SET_ACTION_MASK', 'VFIO_IRQ_SET_ACTION_UNMASK', 'VFIO_IRQ_SET_DATA_NONE');
  });

  it('is unmasked through an eventfd by whoever has it', async () => {
    line.close();
    line = edu.device.intx.enable({ unmaskEventFd: true });
    const unmask = edu.device.intx.unmaskEventFd ?? assert.fail();
    card.raise();
    await line.wait({ timeoutMs: 20_000 });
    await silence(line);
    unmask.signal();
    assert.equal(await line.wait({ timeoutMs: 20_000 }), 1, 'still asserted');
    line.close();
    assert.deepEqual([unmask.closed, edu.device.intx.unmaskEventFd], [true, undefined]);
    covers('VFIO_IRQ_SET_ACTION_UNMASK', 'VFIO_IRQ_SET_DATA_EVENTFD');
  });

  it('is triggered in software', async () => {
    line.trigger();
    assert.equal(await line.wait({ timeoutMs: 20_000 }), 1);
  });

  it('is enabled once, and again after it was closed or disabled', async () => {
    assert.throws(() => edu.device.intx.enable(), {
      code: 'ERR_VFIO_BUSY',
      message: /INTx of 0000:04:00\.0 is enabled/,
    });
    edu.device.intx.disable();
    assert.deepEqual([line.closed, edu.device.intx.enabled], [true, undefined]);
    edu.device.intx.disable();
    const disabled = { code: 'ERR_VFIO_CLOSED', message: /INTx of 0000:04:00\.0/ };
    assert.throws(() => edu.device.intx.mask(), disabled);
    assert.throws(() => edu.device.intx.acknowledge(), disabled);
    line = edu.device.intx.enable({ counts: false });
    card.raise();
    assert.equal(await line.wait({ timeoutMs: 20_000 }), 1);
  });

  it('does not exist on every device', () => {
    assert.equal(testdev.device.intx.available, false);
    assert.throws(() => testdev.device.intx.enable(), {
      code: 'ERR_VFIO_UNSUPPORTED',
      message: /0000:05:00\.0 has no INTx/,
    });
  });
});
