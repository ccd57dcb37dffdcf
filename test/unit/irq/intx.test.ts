import assert from 'node:assert/strict';
import type { Device, Intx } from '../../../lib/index.js';
import { native } from '../../../lib/native.js';
import { FakeKernel } from '../../support/fake-kernel.js';

describe('Intx', () => {
  let kernel: FakeKernel;
  let opened: ReturnType<FakeKernel['open']>;
  let device: Device;
  let intx: Intx;
  let eventfds: number;

  beforeEach(() => {
    kernel = new FakeKernel();
    opened = kernel.open();
    ({ device } = opened);
    ({ intx } = device);
    eventfds = native().liveObjects().eventfds;
    kernel.take();
  });
  afterEach(() => {
    opened.container.close();
    opened.group.close();
    kernel[Symbol.dispose]();
  });

  it('is one vector', () => {
    assert.deepEqual([intx.available, intx.enabled, intx.info.automasked], [true, undefined, true]);
    const line = intx.enable();
    assert.deepEqual([line.index, intx.enabled], [0, line]);
    line.close();
    assert.equal(intx.enabled, undefined);
    assert.deepEqual(kernel.take('irqSetEventFds', 'irqDisable'), ['irqSetEventFds 0 0 [e]', 'irqDisable 0']);
    intx.enable();
    intx.disable();
    intx.disable();
    assert.equal(intx.enabled, undefined);
  });

  it('masks, unmasks, acknowledges', () => {
    intx.enable();
    kernel.take();
    intx.mask();
    intx.unmask();
    intx.acknowledge();
    assert.deepEqual(kernel.take(), [
      'irqAction 0 mask 0 1',
      'irqAction 0 unmask 0 1',
      'irqAction 0 unmask 0 1',
    ]);
    kernel.fail('irqAction', 'EINVAL');
    assert.throws(() => intx.mask(), { code: 'EINVAL', message: /^To mask INTx failed/ });
  });

  it('does none of that while it is off', () => {
    const off = { code: 'ERR_VFIO_CLOSED', message: 'INTx of 0000:03:00.0 is closed' };
    for (const action of [() => intx.mask(), () => intx.unmask(), () => intx.acknowledge()])
      assert.throws(action, off);
    assert.deepEqual(kernel.take(), []);
  });

  it('makes an eventfd for unmasking when asked', () => {
    intx.enable();
    assert.deepEqual([intx.unmaskEventFd], [undefined]);
    intx.disable();
    const line = intx.enable({ unmaskEventFd: true });
    const unmask = intx.unmaskEventFd;
    assert.equal(unmask?.closed, false);
    assert.equal(kernel.take('irqSetUnmaskEventFd').length, 1);
    line.close();
    assert.deepEqual([unmask.closed, intx.unmaskEventFd], [true, undefined]);
  });

  it('leaves nothing when enabling fails', () => {
    kernel.fail('irqSetEventFds', 'EBUSY');
    assert.throws(() => intx.enable(), { code: 'EBUSY', message: /^Enabling INTx failed/ });
    kernel.fail('irqSetUnmaskEventFd', 'ENOTTY');
    assert.throws(() => intx.enable({ unmaskEventFd: true }), {
      message: /^Setting an unmask eventfd for INTx failed/,
    });
    assert.deepEqual(
      [intx.enabled, intx.unmaskEventFd, native().liveObjects().eventfds],
      [undefined, undefined, eventfds],
    );
    intx.enable();
  });

  it('is enabled once, and alone', () => {
    intx.enable();
    assert.throws(() => intx.enable(), {
      code: 'ERR_VFIO_BUSY',
      message: /INTx of 0000:03:00.0 is enabled already/,
    });
    assert.throws(() => device.msix.enable(1), { code: 'ERR_VFIO_BUSY', message: /uses INTx, so MSI-X/ });
    intx.disable();
    device.msix.enable(1);
  });

  it('may be missing', () => {
    const irq = kernel.devices.get('0000:03:00.0')?.irqs[0];
    assert(irq);
    opened.container.close();
    opened.group.close();
    irq.count = 0;
    opened = kernel.open();
    assert.equal(opened.device.intx.available, false);
    assert.throws(() => opened.device.intx.enable(), {
      code: 'ERR_VFIO_UNSUPPORTED',
      message: /has no INTx/,
    });
  });

  it('ends with its device', () => {
    const line = intx.enable({ unmaskEventFd: true });
    device.closeSync();
    assert.deepEqual([line.closed, intx.unmaskEventFd], [true, undefined]);
    assert.throws(() => intx.enable(), { code: 'ERR_VFIO_CLOSED' });
  });
});
