import assert from 'node:assert/strict';
import { Device } from 'vfio';
import { covers, refusal } from '../../support/covers';
import { needs } from '../../support/needs';
import { mediated } from '../support/mdev';
import { Uart } from '../support/mtty';
import { labSuite } from '../support/suite';

const limit = { timeoutMs: 5000 };

labSuite('interrupts of mediated devices', () => {
  needs({ profile: 'mdev' });
  const [mtty, mdpy, mbochs] = mediated('mtty-1', 'mdpy-vga', 'mbochs-small');
  let device: Device;
  beforeEach(async () => {
    device = await Device.open(mtty);
  });
  afterEach(() => device.close());

  it('are INTx and MSI for mtty, with flags of their own, and no others', () => {
    assert.deepEqual(
      device.irqs.map(({ name, count, eventfd, maskable, automasked, noResize }) => [
        name,
        count,
        { eventfd, maskable, automasked, noResize },
      ]),
      [
        ['INTx', 1, { eventfd: true, maskable: true, automasked: true, noResize: false }],
        ['MSI', 1, { eventfd: true, maskable: false, automasked: false, noResize: true }],
        ...['MSI-X', 'ERR', 'REQ'].map(name => [
          name,
          0,
          { eventfd: false, maskable: false, automasked: false, noResize: false },
        ]),
      ],
    );
    covers('VFIO_DEVICE_GET_IRQ_INFO', 'VFIO_IRQ_INFO_MASKABLE', 'VFIO_IRQ_INFO_NORESIZE');
  });

  it('are none for displays', async () => {
    for (const address of [mdpy, mbochs]) {
      await using display = await Device.open(address);
      assert.deepEqual(
        display.irqs.map(irq => irq.count),
        [0, 0, 0, 0, 0],
      );
      assert.throws(() => display.intx.enable(), { code: 'ERR_VFIO_UNSUPPORTED' });
      assert.throws(() => display.msi.enable(1), { code: 'ERR_VFIO_UNSUPPORTED' });
    }
  });

  it('come from the device: a byte sent in loopback raises INTx, once until it is acknowledged', async () => {
    const uart = device.bar(0);
    const line = device.intx.enable();
    uart.write8(Uart.MCR, 0x10);
    uart.write8(Uart.FCR, 0x01);
    uart.write8(Uart.IER, 0x01);
    uart.write8(Uart.DATA, 0x41);
    assert.equal(await line.wait(limit), 1);
    uart.write8(Uart.DATA, 0x42);
    await assert.rejects(line.wait({ timeoutMs: 100 }), { code: 'ERR_VFIO_TIMEOUT' });
    assert.equal(uart.read8(Uart.DATA), 0x41);
    assert.equal(uart.read8(Uart.DATA), 0x42);
    device.intx.acknowledge();
    uart.write8(Uart.DATA, 0x43);
    assert.equal(await line.wait(limit), 1);
    uart.read8(Uart.DATA);
    covers('VFIO_IRQ_SET_ACTION_TRIGGER', 'VFIO_IRQ_INFO_AUTOMASKED', 'VFIO_IRQ_SET_ACTION_UNMASK');
  });

  it('are masked and unmasked where INTx can be', async () => {
    const line = device.intx.enable();
    device.intx.mask();
    line.trigger();
    await assert.rejects(line.wait({ timeoutMs: 100 }), { code: 'ERR_VFIO_TIMEOUT' });
    device.intx.unmask();
    line.trigger();
    assert.equal(await line.wait(limit), 1);
    covers('VFIO_IRQ_SET_ACTION_MASK', 'VFIO_IRQ_SET_ACTION_UNMASK');
  });

  it('are triggered by the user, MSI as often as wanted', async () => {
    const [vector] = device.msi.enable(1);
    for (let i = 0; i < 3; i++) {
      vector.trigger();
      assert.equal(await vector.wait(limit), 1);
    }
    vector.close();
    device.intx.enable().close();
  });

  it('refuse an unmask eventfd where the driver has none', () => {
    assert.throws(() => device.intx.enable({ unmaskEventFd: true }), {
      code: 'ENOTTY',
      syscall: 'VFIO_DEVICE_SET_IRQS',
    });
    assert.equal(device.intx.enabled, undefined, 'and leave nothing enabled');
    refusal('VFIO_IRQ_SET_ACTION_UNMASK');
  });
});
