import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Container, Device, Group, type VfioError } from '../../lib/index.js';
import { native } from '../../lib/native.js';
import { FakeKernel } from '../support/fake-kernel.js';
import { turns } from '../support/vector.js';

const address = '0000:03:00.0';

describe('Device', () => {
  let kernel: FakeKernel;
  let container: Container;
  let group: Group;
  const listeners = process.listenerCount('exit');

  beforeEach(() => {
    kernel = new FakeKernel();
    container = Container.open();
    group = Group.open(12);
    container.attach(group);
    container.setIommu();
    kernel.take();
  });
  afterEach(() => {
    container.close();
    group.close();
    kernel[Symbol.dispose]();
    assert.equal(process.listenerCount('exit'), listeners);
  });

  it('reads all that it has, once', async () => {
    const device = await group.openDevice('03:00.0');
    assert.deepEqual(
      [device.address, device.group, device.container, device.dma],
      [address, group, container, container.dma],
    );
    assert.deepEqual(
      [device.info.pci, device.info.reset, device.regions.length, device.irqs.length],
      [true, true, 9, 5],
    );
    const calls = kernel.take();
    assert.equal(calls[0], `groupGetDeviceFd ${address} true`);
    assert.equal(calls.filter(call => /^deviceGet(Info|RegionInfo|IrqInfo)/.test(call)).length, 1 + 9 + 5);
    assert.deepEqual(
      calls.slice(-2),
      ['irqSetEventFds 3 0 [e]', 'irqSetEventFds 4 0 [e]'],
      'ERR and REQ are armed',
    );
    assert.deepEqual(
      [device.irq(2).count, device.msix.count, device.msi.count, device.intx.available],
      [5, 5, 1, true],
    );
    assert(Object.isFrozen(device.regions) && Object.isFrozen(device.irqs) && Object.isFrozen(device.info));
    assert.deepEqual(kernel.take(), []);
  });

  it('passes over what the kernel says it lacks, and nothing else', () => {
    kernel.fail('deviceGetRegionInfo', 'EINVAL', 8);
    kernel.fail('deviceGetIrqInfo', 'EINVAL', 3);
    const device = group.openDeviceSync(address);
    assert.deepEqual([device.vga.size, device.irq(3).count], [0, 0]);
    assert.deepEqual(device.irq(77).count, 0);
    device.closeSync();
    kernel.fail('deviceGetRegionInfo', 'EFAULT');
    assert.throws(() => group.openDeviceSync(address), {
      code: 'EFAULT',
      message: /^Reading what 0000:03:00.0 has failed/,
    });
  });

  it('leaves nothing when any step of opening fails', async () => {
    const before = native().liveObjects();
    const steps = [
      'groupGetDeviceFd',
      'deviceGetInfo',
      'deviceGetRegionInfo',
      'deviceGetIrqInfo',
      'irqSetEventFds',
    ] as const;
    for (const name of steps) {
      for (const async of [true, false]) {
        kernel.take();
        kernel.fail(name, 'EIO');
        const open = async () => (async ? group.openDevice(address) : group.openDeviceSync(address));
        await assert.rejects(open(), { name: 'VfioError', code: 'EIO', address }, name);
        assert.equal(kernel.take('deviceClose').length, name === 'groupGetDeviceFd' ? 0 : 1, name);
        assert.deepEqual([group.devices, native().liveObjects()], [[], before]);
      }
    }
    native().failNext('eventfd', 24, 1);
    await assert.rejects(group.openDevice(address), { code: 'EMFILE' });
    assert.deepEqual([native().liveObjects(), kernel.take('deviceClose').length], [before, 1]);
    group.openDeviceSync(address).closeSync();
  });

  it('is opened once', async () => {
    using device = group.openDeviceSync(address);
    assert.deepEqual(group.devices, [device]);
    const busy = { code: 'ERR_VFIO_BUSY', message: /0000:03:00.0 is open already in this process/ };
    assert.throws(() => group.openDeviceSync(address), busy);
    await assert.rejects(group.openDevice(address), busy);
  });

  it('keeps its group from closing while it is being opened', async () => {
    const opening = group.openDevice(address);
    assert.throws(() => group.close(), { code: 'ERR_VFIO_BUSY', message: /0000:03:00.0 is being opened/ });
    const device = await opening;
    group.close();
    assert.deepEqual([device.closed, group.closed], [true, true]);
    assert.equal(kernel.take('deviceClose').length, 1);
  });

  for (const how of ['close', 'closeSync', 'dispose', 'asyncDispose'] as const) {
    it(`closes in order (${how})`, async () => {
      const device = group.openDeviceSync(address);
      device.msix.enable(2);
      device.bar(0).map();
      let events = 0;
      device.on('close', () => events++);
      kernel.take();
      if (how === 'close') await device.close();
      else if (how === 'closeSync') device.closeSync();
      else if (how === 'dispose') device[Symbol.dispose]();
      else await device[Symbol.asyncDispose]();
      const async = how === 'close' || how === 'asyncDispose';
      assert.deepEqual(kernel.take(), ['deviceQuiesce', `deviceClose ${async}`]);
      await device.close();
      device.closeSync();
      assert.deepEqual([device.closed, group.devices, events, kernel.take()], [true, [], 1, []]);
      assert.equal(group.openDeviceSync(address).closed, false, 'it can be opened again at once');
    });
  }

  it('is closed once by those who do it at the same time', async () => {
    const device = group.openDeviceSync(address);
    const closing = device.close();
    device.closeSync();
    await Promise.all([closing, device.close()]);
    assert.equal(kernel.take('deviceClose').length, 1);
  });

  it('refuses everything when closed', async () => {
    const device = group.openDeviceSync(address);
    device.closeSync();
    const closed = { name: 'VfioError', code: 'ERR_VFIO_CLOSED', message: 'Device 0000:03:00.0 is closed' };
    assert.throws(() => device.resetSync(), closed);
    await assert.rejects(device.reset(), closed);
    assert.throws(() => device.enableBusMaster(), closed);
    assert.throws(() => device.config.vendorId, closed);
    assert.throws(() => device.msix.enable(1), closed);
    assert.throws(() => device.intx.enable(), closed);
    assert.deepEqual([device.regions.length, device.irq(2).count], [9, 5], 'what is remembered stays');
  });

  it('resets, one at a time', async () => {
    const device = group.openDeviceSync(address);
    const resetting = device.reset();
    const busy = { code: 'ERR_VFIO_BUSY', message: /0000:03:00.0 is being reset/ };
    const second = device.reset();
    assert.throws(() => device.resetSync(), busy);
    assert.throws(() => device.closeSync(), busy);
    const closing = device.close();
    await assert.rejects(second, busy);
    await resetting;
    await closing;
    assert.deepEqual(kernel.take('deviceReset', 'deviceClose'), ['deviceReset true', 'deviceClose true']);
  });

  it('says why it could not be reset', async () => {
    const device = group.openDeviceSync(address);
    kernel.fail('deviceReset', 'ENOTTY');
    await assert.rejects(device.reset(), {
      code: 'ENOTTY',
      message: /^Resetting .* failed.*no reset of its own/,
    });
    device.resetSync();
    device.closeSync();
    const fake = kernel.devices.get(address);
    assert(fake);
    fake.info.flags = 2;
    const without = group.openDeviceSync(address);
    assert.throws(() => without.resetSync(), {
      code: 'ERR_VFIO_UNSUPPORTED',
      message: /^0000:03:00.0 has no reset/,
    });
  });

  it('is no PCI device without the flag', () => {
    const fake = kernel.devices.get(address);
    assert(fake);
    fake.info.flags = 4;
    const device = group.openDeviceSync(address);
    assert.equal(device.info.platform, true);
    assert.throws(() => device.config, { code: 'ERR_VFIO_UNSUPPORTED', message: /is not a PCI device/ });
  });

  describe('notifications', () => {
    /** What the kernel does: signals the eventfd of the index. */
    const raise = (device: Device, index: number): void =>
      native().irqAction(device.handle, index, 'trigger', 0, 1);

    it("tell of an error by an 'error' event", async () => {
      const device = group.openDeviceSync(address);
      const told = once(device, 'error').catch((error: unknown) => [error]);
      raise(device, 3);
      // events.once() rejects by 'error': both ways it is the event's argument.
      const [error] = (await told) as [VfioError];
      assert.equal(error.code, 'ERR_VFIO_DEVICE_ERROR');
      assert.match(error.message, /^0000:03:00.0 reported an uncorrectable PCI error/);
    });

    it('are a process warning when nobody listens', async () => {
      const device = group.openDeviceSync(address);
      const warned = once(process, 'warning');
      raise(device, 3);
      const [warning] = (await warned) as [VfioError];
      assert.equal(warning.code, 'ERR_VFIO_DEVICE_ERROR');
      assert.equal(device.closed, false);
    });

    it("tell of a request by 'release-request', once", async () => {
      const device = group.openDeviceSync(address);
      let asked = 0;
      device.on('release-request', () => asked++);
      raise(device, 4);
      await turns();
      raise(device, 4);
      await turns();
      assert.deepEqual([asked, device.closed], [1, false]);
    });

    it('close the device on request when nobody listens', async () => {
      const device = group.openDeviceSync(address);
      raise(device, 4);
      await once(device, 'close');
      assert.equal(device.closed, true);
    });

    it('end with the device', async () => {
      const before = native().liveObjects().eventfds;
      const device = group.openDeviceSync(address);
      assert.equal(native().liveObjects().eventfds, before + 2);
      await device.close();
      assert.equal(native().liveObjects().eventfds, before);
    });
  });
});

describe('Device.open', () => {
  it('says that there is no such device', async () => {
    const error = {
      name: 'VfioError',
      code: 'ERR_VFIO_NO_DEVICE',
      address: 'ffff:ff:1f.7',
      message: /^There is no PCI device ffff:ff:1f.7\. Likely cause: bus ffff:ff has no devices/,
    };
    await assert.rejects(Device.open('ffff:ff:1f.7'), error);
    assert.throws(() => Device.openSync('FFFF:FF:1F.7'), error);
    await assert.rejects(Device.open('ffff:ff:1f.7', { bind: true }), error);
  });

  it('refuses a container that is closed', () => {
    using kernel = new FakeKernel();
    const container = Container.open();
    container.close();
    assert.throws(() => Device.openSync('ffff:ff:1f.7', { container }), { code: 'ERR_VFIO_CLOSED' });
    assert(kernel.log.length > 0);
  });
});
