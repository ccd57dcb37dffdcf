import assert from 'node:assert/strict';
import { readlinkSync } from 'node:fs';
import type { Device, Region } from '../../lib/index.js';
import { native } from '../../lib/native.js';
import { FakeKernel } from '../support/fake-kernel.js';

describe('IoEventFd', () => {
  let kernel: FakeKernel;
  let opened: ReturnType<FakeKernel['open']>;
  let device: Device;
  let bar: Region;
  let eventfds: number;

  beforeEach(() => {
    kernel = new FakeKernel();
    opened = kernel.open();
    ({ device } = opened);
    bar = device.bar(0);
    eventfds = native().liveObjects().eventfds;
    kernel.take();
  });
  afterEach(() => {
    opened.container.close();
    opened.group.close();
    kernel[Symbol.dispose]();
  });

  it('is registered, rung, and taken back', () => {
    const doorbell = bar.ioeventfd(0x10, 32, 0x1234);
    assert.deepEqual(
      [doorbell.region, doorbell.offset, doorbell.width, doorbell.value],
      [bar, 0x10, 32, 0x1234n],
    );
    assert.equal(readlinkSync(`/proc/self/fd/${doorbell.fd}`), 'anon_inode:[eventfd]');
    doorbell.trigger();
    doorbell.close();
    doorbell.close();
    doorbell[Symbol.dispose]();
    assert.deepEqual(kernel.take('ioEventFd'), ['ioEventFd 16 4 4660', 'ioEventFd 16 4 4660']);
    assert.equal(doorbell.closed, true);
    for (const action of [() => doorbell.trigger(), () => doorbell.fd])
      assert.throws(action, { code: 'ERR_VFIO_CLOSED' });
    assert.equal(native().liveObjects().eventfds, eventfds);
  });

  it('takes every width up to its largest value', () => {
    for (const width of [8, 16, 32, 64] as const) {
      const largest = (1n << BigInt(width)) - 1n;
      assert.equal(bar.ioeventfd(0, width, largest).value, largest);
      assert.throws(() => bar.ioeventfd(0, width, largest + 1n), {
        code: 'ERR_OUT_OF_RANGE',
        message: /^value must be/,
      });
      if (width > 8)
        assert.throws(() => bar.ioeventfd(1, width, 0), {
          code: 'ERR_OUT_OF_RANGE',
          message: /^offset must be/,
        });
    }
    assert.throws(() => bar.ioeventfd(0x4000, 8, 0), { code: 'ERR_OUT_OF_RANGE' });
  });

  it('explains what the kernel refuses, and leaves nothing', () => {
    const first = bar.ioeventfd(0, 32, 1);
    assert.throws(() => bar.ioeventfd(0, 32, 1), {
      code: 'EEXIST',
      syscall: 'VFIO_DEVICE_IOEVENTFD',
      message: /^Setting an ioeventfd of 32 bits at BAR0\+0x0 failed.*same offset, width and value/,
    });
    kernel.fail('ioEventFd', 'EINVAL');
    assert.throws(() => device.bar(2).ioeventfd(0, 8, 0), {
      code: 'EINVAL',
      message: /only inside a .*BAR/,
    });
    assert.equal(native().liveObjects().eventfds, eventfds + 1);
    first.close();
    bar.ioeventfd(0, 32, 1);
  });

  it('is limited to 1,000, and closing one gives room', () => {
    const doorbells = Array.from({ length: 1000 }, (_, i) => bar.ioeventfd(0, 32, i));
    assert.throws(() => bar.ioeventfd(0, 32, 1000), { code: 'ENOSPC', message: /1,000 ioeventfds at most/ });
    doorbells[500]?.close();
    bar.ioeventfd(0, 32, 1000);
    device.closeSync();
    assert(doorbells.every(one => one.closed));
    assert.equal(native().liveObjects().eventfds, eventfds - 2, 'ERR and REQ are gone too');
  });

  it('closes its eventfd even when taking it back fails', () => {
    const doorbell = bar.ioeventfd(0, 32, 1);
    kernel.fail('ioEventFd', 'ENODEV');
    assert.throws(() => doorbell.close(), { code: 'ENODEV' });
    assert.equal(doorbell.closed, true);
    assert.equal(native().liveObjects().eventfds, eventfds);
  });
});
