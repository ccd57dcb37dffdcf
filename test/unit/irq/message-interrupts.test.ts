import assert from 'node:assert/strict';
import { EventFd, type Device, type IrqVector, type MessageInterrupts } from '../../../lib/index.js';
import { native } from '../../../lib/native.js';
import { IrqFlag } from '../../support/fake-device.js';
import { FakeKernel } from '../../support/fake-kernel.js';
import { turns } from '../../support/vector.js';

describe('MessageInterrupts', () => {
  let kernel: FakeKernel;
  let opened: ReturnType<FakeKernel['open']>;
  let device: Device;
  let msix: MessageInterrupts;
  let eventfds: number;
  /** What SET_IRQS was called with since the last time: `index start [e: eventfd, -: none]`, or `off`. */
  const calls = (): string[] =>
    kernel
      .take('irqSetEventFds', 'irqDisable')
      .map(line => line.replace('irqSetEventFds ', '').replace(/^irqDisable \d/, 'off'));
  const indices = (vectors: readonly IrqVector[]): number[] => vectors.map(one => one.index);
  const open = (): void => {
    opened = kernel.open();
    ({ device } = opened);
    ({ msix } = device);
    eventfds = native().liveObjects().eventfds;
    kernel.take();
  };

  beforeEach(() => {
    kernel = new FakeKernel();
    open();
  });
  afterEach(() => {
    opened.container.close();
    opened.group.close();
    kernel[Symbol.dispose]();
  });

  it('enables the first ones in one call', () => {
    assert.equal(msix.count, 5);
    const vectors = msix.enable(3);
    assert.deepEqual([indices(vectors), calls()], [[0, 1, 2], ['2 0 [eee]']]);
    assert.deepEqual(msix.enabled, vectors);
    assert.equal(msix.vector(1), vectors[1]);
    assert.equal(msix.vector(4), undefined);
  });

  it('enables a run of them', () => {
    assert.deepEqual(indices(msix.enable({ start: 2, count: 2 })), [2, 3]);
    assert.deepEqual(calls(), ['2 2 [ee]']);
  });

  it('takes the whole set down to add to it, and makes those before look', async () => {
    const [first] = msix.enable(1) as [IrqVector];
    const signals: number[] = [];
    first.on('interrupt', count => signals.push(count));
    calls();
    msix.enable({ start: 2, count: 1 });
    assert.deepEqual(calls(), ['off', '2 0 [e-e]']);
    await turns();
    assert.deepEqual(signals, [1]);
  });

  it('fills a gap without taking anything down', () => {
    msix.enable({ start: 2, count: 1 });
    calls();
    msix.enable({ start: 0, count: 2 });
    assert.deepEqual([calls(), indices(msix.enabled)], [['2 0 [ee]'], [0, 1, 2]]);
  });

  it('adds to the set where the kernel can', async () => {
    const irq = kernel.devices.get('0000:03:00.0')?.irqs[2];
    assert(irq);
    opened.container.close();
    opened.group.close();
    irq.flags = IrqFlag.eventfd;
    open();
    assert.equal(msix.canGrow, true);
    const [first] = msix.enable(1) as [IrqVector];
    msix.enable({ start: 3, count: 2 });
    assert.deepEqual(calls(), ['2 0 [e]', '2 3 [ee]']);
    await turns();
    assert.equal(first.waitSync(0), 0, 'nobody was disturbed');
  });

  it('puts the old set back when adding fails', () => {
    const [first, second] = msix.enable(2) as [IrqVector, IrqVector];
    calls();
    kernel.fail('irqSetEventFds', 'ENOSPC');
    assert.throws(() => msix.enable({ start: 4, count: 1 }), {
      code: 'ENOSPC',
      message: /^Enabling MSI-X failed.*too few interrupt vectors left/,
    });
    assert.deepEqual(calls(), ['off', '2 0 [ee--e]', '2 0 [ee]']);
    assert.deepEqual(msix.enabled, [first, second]);
    assert.deepEqual([first.waitSync(0), second.waitSync(0)], [1, 1]);
    assert.equal(native().liveObjects().eventfds, eventfds + 2);
  });

  it('leaves nothing when enabling fails', () => {
    kernel.fail('irqSetEventFds', 'ENOSPC');
    assert.throws(() => msix.enable(5), {
      code: 'ENOSPC',
      syscall: 'VFIO_DEVICE_SET_IRQS',
      address: device.address,
    });
    assert.deepEqual([msix.enabled, native().liveObjects().eventfds], [[], eventfds]);
    assert.deepEqual(indices(msix.enable(5)), [0, 1, 2, 3, 4]);
  });

  it('leaves nothing when there are too few eventfds', () => {
    native().failNext('eventfd', 24, 3);
    assert.throws(() => msix.enable(5), { code: 'EMFILE' });
    assert.deepEqual([msix.enabled, native().liveObjects().eventfds, calls()], [[], eventfds, []]);
    msix.enable(1);
  });

  it('takes out one by closing it, the last one by disabling all', () => {
    const [a, b] = msix.enable(2) as [IrqVector, IrqVector];
    calls();
    a.close();
    assert.deepEqual([calls(), indices(msix.enabled)], [['2 0 [-]'], [1]]);
    b.close();
    assert.deepEqual([calls(), msix.enabled], [['off'], []]);
    assert.deepEqual(indices(msix.enable(1)), [0]);
  });

  it('disables a part, one by one, and all of them in one call', () => {
    const vectors = msix.enable(4);
    calls();
    msix.disable({ start: 1, count: 2 });
    assert.deepEqual(
      [calls(), indices(msix.enabled)],
      [
        ['2 1 [-]', '2 2 [-]'],
        [0, 3],
      ],
    );
    msix.disable({ count: 5 });
    assert.deepEqual([calls(), msix.enabled], [['off'], []]);
    msix.disable();
    assert.deepEqual(calls(), []);
    assert(vectors.every(vector => vector.closed));
  });

  it('keeps to what the device has', () => {
    const rule = (text: string) => ({
      name: 'RangeError',
      code: 'ERR_OUT_OF_RANGE',
      message: new RegExp(text),
    });
    assert.throws(() => msix.enable(6), rule('the device has 5\\) must be an integer from 1 to 5; got 6'));
    assert.throws(() => msix.enable(0), rule('from 1 to 5; got 0'));
    assert.throws(() => msix.enable({ start: 5, count: 1 }), rule('from 0 to 4; got 5'));
    assert.throws(() => msix.enable({ start: 4, count: 2 }), rule('from 1 to 1; got 2'));
    assert.throws(() => msix.vector(2048), rule('from 0 to 2047'));
    assert.deepEqual(calls(), []);
  });

  it('refuses what is enabled, and other kinds meanwhile', () => {
    msix.enable({ start: 1, count: 2 });
    assert.throws(() => msix.enable(2), {
      code: 'ERR_VFIO_BUSY',
      message: /MSI-X vector 1 of 0000:03:00.0 is enabled/,
    });
    assert.deepEqual(indices(msix.enabled), [1, 2]);
    const other = { code: 'ERR_VFIO_BUSY', message: /uses MSI-X, so (MSI|INTx) cannot be enabled/ };
    assert.throws(() => device.msi.enable(1), other);
    assert.throws(() => device.intx.enable(), other);
    msix.disable();
    device.msi.enable(1);
  });

  it('says when the device lacks the kind', () => {
    const irq = kernel.devices.get('0000:03:00.0')?.irqs[2];
    assert(irq);
    opened.container.close();
    opened.group.close();
    irq.count = 0;
    open();
    assert.equal(msix.count, 0);
    assert.throws(() => msix.enable(1), {
      code: 'ERR_VFIO_UNSUPPORTED',
      message: '0000:03:00.0 has no MSI-X',
    });
    msix.disable();
  });

  it('takes 2048 vectors', async () => {
    const irq = kernel.devices.get('0000:03:00.0')?.irqs[2];
    assert(irq);
    opened.container.close();
    opened.group.close();
    irq.count = 2048;
    open();
    const vectors = msix.enable(2048);
    let heard = 0;
    for (const vector of vectors) vector.on('interrupt', () => heard++).unref();
    for (const vector of vectors) vector.trigger();
    await turns(20);
    assert.equal(heard, 2048);
    msix.disable();
    assert.equal(native().liveObjects().eventfds, eventfds);
    assert.deepEqual(kernel.take('irqDisable').length, 1);
  });

  it('triggers by the kernel, and counts', async () => {
    const [, second] = msix.enable(2) as [IrqVector, IrqVector];
    const waiting = second.wait();
    second.trigger();
    second.trigger();
    assert.equal(await waiting, 2);
    assert.equal(second.total, 2);
    kernel.fail('irqAction', 'EINVAL');
    assert.throws(() => second.trigger(), { message: /^Triggering MSI-X vector 1 of 0000:03:00.0 failed/ });
  });

  it('ends with its device, without a call for each', () => {
    const vectors = msix.enable(3);
    calls();
    device.closeSync();
    assert(vectors.every(vector => vector.closed));
    assert.deepEqual(calls(), []);
    for (const action of [() => msix.enable(1), () => vectors[0].trigger()])
      assert.throws(action, { code: 'ERR_VFIO_CLOSED' });
    msix.disable();
    for (const vector of vectors) vector.close();
  });

  it('does not mix up eventfds of others', () => {
    using other = new EventFd();
    msix.enable(1);
    assert.equal(native().eventFdTake(other.handle), 0);
  });
});
