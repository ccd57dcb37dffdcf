import assert from 'node:assert/strict';
import { bindDevice, bindDeviceSync, Container, Device, Group } from '../../lib/index.js';
import { native } from '../../lib/native.js';
import { fakeNic } from '../support/fake-device.js';
import { FakeKernel } from '../support/fake-kernel.js';
import { FakeSysfs } from '../support/fake-sysfs.js';

const nic = '0000:03:00.0';
const other = '0000:04:00.0';

describe('opening by address', () => {
  let kernel: FakeKernel;
  let sysfs: FakeSysfs;
  const exits = () => ['exit', 'SIGINT', 'SIGTERM', 'SIGHUP'].map(event => process.listenerCount(event));
  const before = exits();

  beforeEach(() => {
    kernel = new FakeKernel();
    sysfs = new FakeSysfs();
    sysfs.add(nic, 'vfio-pci', 12);
    sysfs.add(other, 'vfio-pci', 12);
    kernel.devices.set(other, fakeNic());
  });
  afterEach(() => {
    sysfs[Symbol.dispose]();
    kernel[Symbol.dispose]();
    assert.deepEqual(exits(), before);
  });

  /** Everything the log says was opened was closed too. */
  const balance = (): Record<string, number> => {
    const count = (name: string): number => kernel.log.filter(line => line.split(' ')[0] === name).length;
    const failed = (name: string): number => kernel.failed.filter(one => one === name).length;
    return Object.fromEntries(
      [
        ['containerOpen', 'containerClose'],
        ['groupOpen', 'groupClose'],
        ['groupGetDeviceFd', 'deviceClose'],
      ].map(([open = '', close = '']) => [open, count(open) - failed(open) - count(close)]),
    );
  };
  const nothing = { containerOpen: 0, groupOpen: 0, groupGetDeviceFd: 0 };

  it('opens all that it takes, and closes it in the reverse order', async () => {
    const device = await Device.open('03:00.0');
    assert.deepEqual(
      kernel.take('groupOpen', 'containerOpen', 'groupSetContainer', 'containerSetIommu', 'groupGetDeviceFd'),
      [
        'groupOpen /dev/vfio/12',
        'containerOpen /dev/vfio/vfio',
        'groupSetContainer',
        'containerSetIommu 3',
        `groupGetDeviceFd ${nic} true`,
      ],
    );
    const buffer = device.dma.alloc(4096);
    kernel.take();
    await device.close();
    assert.deepEqual(
      kernel.take(
        'deviceQuiesce',
        'dmaUnmapAll',
        'deviceClose',
        'groupUnsetContainer',
        'groupClose',
        'containerClose',
      ),
      [
        'deviceQuiesce',
        'dmaUnmapAll false',
        'deviceClose true',
        'groupUnsetContainer',
        'groupClose',
        'containerClose',
      ],
    );
    assert.deepEqual([buffer.freed, device.group.closed, device.container.closed], [true, true, true]);
    Device.openSync(nic).closeSync();
    assert.deepEqual(sysfs.writes, []);
  });

  it('shares the group between its devices', async () => {
    const [a, b] = [await Device.open(nic), Device.openSync(other)];
    assert.deepEqual(
      [a.group === b.group, a.container === b.container, a.group.devices],
      [true, true, [a, b]],
    );
    assert.equal(kernel.take('groupOpen').length, 1);
    const buffer = a.dma.alloc(4096);
    await a.close();
    assert.deepEqual(
      [buffer.freed, b.closed, b.group.closed],
      [false, false, false],
      'the other one may still use it',
    );
    await b.close();
    assert.deepEqual([buffer.freed, b.group.closed, b.container.closed], [true, true, true]);
  });

  it('joins the container it is told, and leaves it open', () => {
    using container = Container.open();
    const device = Device.openSync(nic, { container });
    assert.deepEqual([device.container, container.iommuType], [container, 3]);
    const message = /Group 12 is open in another container/;
    using another = Container.open();
    assert.throws(() => Device.openSync(other, { container: another }), { code: 'ERR_VFIO_BUSY', message });
    device.closeSync();
    assert.deepEqual([container.closed, container.groups], [false, []]);
  });

  it('uses a group that the user opened, and leaves it open', () => {
    using container = Container.open();
    using group = Group.open(12);
    container.attach(group);
    container.setIommu();
    const device = Device.openSync(nic);
    assert.equal(device.group, group);
    device.closeSync();
    assert.deepEqual([group.closed, container.closed], [false, false]);
  });

  it('says how to bind a device that is not', async () => {
    sysfs.add(nic, 'e1000e', 12);
    const error = {
      name: 'VfioError',
      code: 'ERR_VFIO_NOT_BOUND',
      address: nic,
      likelyCause: 'it is on driver e1000e',
      message:
        /\{ bind: true \}.*echo vfio-pci > \/sys\/bus\/pci\/devices\/0000:03:00.0\/driver_override; echo 0000:03:00.0 > .*e1000e\/unbind/,
    };
    await assert.rejects(Device.open(nic), error);
    sysfs.add(nic, undefined, 12);
    await assert.rejects(Device.open(nic), { code: 'ERR_VFIO_NOT_BOUND', likelyCause: 'it has no driver' });
    assert.deepEqual(balance(), nothing);
  });

  it('says that there is no IOMMU, or that a member is in the way', () => {
    sysfs.add(nic, 'vfio-pci', undefined);
    assert.throws(() => Device.openSync(nic), { code: 'ERR_VFIO_NO_IOMMU', address: nic });
    sysfs.add(nic, 'vfio-pci', 12);
    sysfs.add(other, 'nvme', 12);
    kernel.groupStatus = 0;
    assert.throws(() => Device.openSync(nic), {
      code: 'ERR_VFIO_NOT_VIABLE',
      path: '/dev/vfio/12',
      likelyCause: '0000:04:00.0 is on driver nvme',
    });
    assert.deepEqual(balance(), nothing);
  });

  for (const async of [true, false]) {
    const open = async (): Promise<Device> =>
      async
        ? Device.open(nic, { bind: true })
        : Promise.resolve().then(() => Device.openSync(nic, { bind: true }));
    const kind = async ? 'off the loop' : 'blocking';

    it(`binds and gives back (${kind})`, async () => {
      sysfs.add(nic, 'e1000e', 12);
      const device = await open();
      assert.equal(sysfs.bindings()[nic], 'vfio-pci');
      assert.deepEqual(sysfs.writes.splice(0), [
        `devices/${nic}/driver_override vfio-pci`,
        `drivers/e1000e/unbind ${nic}`,
        `drivers_probe ${nic}`,
      ]);
      if (async) await device.close();
      else device.closeSync();
      assert.deepEqual([sysfs.bindings()[nic], sysfs.devices.get(nic)?.override], ['e1000e', '']);
      assert.deepEqual(balance(), nothing);
    });

    it(`leaves nothing open or bound, whichever step fails (${kind})`, async () => {
      sysfs.add(nic, 'e1000e', 12);
      const steps = [
        'containerOpen',
        'containerGetApiVersion',
        'groupOpen',
        'groupGetStatus',
        'groupSetContainer',
        'containerSetIommu',
        'containerGetIommuInfo',
        'groupGetDeviceFd',
        'deviceGetInfo',
        'deviceGetRegionInfo',
        'deviceGetIrqInfo',
        'irqSetEventFds',
      ] as const;
      const eventfds = native().liveObjects().eventfds;
      for (const step of steps) {
        kernel.take();
        kernel.failed.length = 0;
        kernel.fail(step, 'EIO');
        await assert.rejects(open(), { name: 'VfioError', code: 'EIO' }, step);
        assert.deepEqual([step, sysfs.bindings()[nic], balance()], [step, 'e1000e', nothing]);
        assert.deepEqual([native().liveObjects().eventfds, exits()], [eventfds, before], step);
      }
      for (const file of [`devices/${nic}/driver_override`, 'drivers/e1000e/unbind', 'drivers_probe']) {
        sysfs.failures.set(file, 'EACCES');
        await assert.rejects(
          open(),
          { name: 'VfioError', code: 'EACCES', path: `/sys/bus/pci/${file}` },
          file,
        );
        assert.deepEqual([file, sysfs.bindings()[nic], exits()], [file, 'e1000e', before]);
      }
      const device = await open();
      await device.close();
      assert.equal(sysfs.bindings()[nic], 'e1000e');
    });
  }

  it('gives back also after an exception in the body', async () => {
    sysfs.add(nic, 'e1000e', 12);
    const body = async (): Promise<void> => {
      await using device = await Device.open(nic, { bind: true });
      throw new Error(`with ${device.address}`);
    };
    await assert.rejects(body(), /with 0000:03:00.0/);
    assert.deepEqual([sysfs.bindings()[nic], balance()], ['e1000e', nothing]);
  });

  describe('binding alone', () => {
    it('is undone once', async () => {
      sysfs.add(nic, 'e1000e', 12);
      const binding = await bindDevice('03:00.0');
      assert.deepEqual(
        [binding.address, binding.driver, binding.previousDriver],
        [nic, 'vfio-pci', 'e1000e'],
      );
      assert.deepEqual(
        exits(),
        before.map(count => count + 1),
      );
      await binding.restore();
      const { length } = sysfs.writes;
      binding.restoreSync();
      binding[Symbol.dispose]();
      assert.deepEqual([sysfs.bindings()[nic], sysfs.writes.length, exits()], ['e1000e', length, before]);
    });

    it('puts an override back that was there', () => {
      sysfs.add(nic, undefined, 12);
      const device = sysfs.devices.get(nic);
      assert(device);
      device.override = 'some-driver';
      const binding = bindDeviceSync(nic);
      assert.equal(binding.previousDriver, undefined);
      binding.restoreSync();
      assert.deepEqual([device.driver, device.override], [undefined, 'some-driver']);
    });

    it('says that the driver did not take the device, and puts it back', () => {
      sysfs.add(nic, 'e1000e', 12);
      sysfs.drivers.set('picky-driver', () => false);
      assert.throws(() => bindDeviceSync(nic, { driver: 'picky-driver' }), {
        code: 'ERR_VFIO_NOT_BOUND',
        message: /^Binding 0000:03:00.0 to picky-driver failed: the driver did not take it/,
      });
      assert.equal(sysfs.bindings()[nic], 'e1000e');
    });

    it('says that it cannot be given back', async () => {
      sysfs.add(nic, 'e1000e', 12);
      const binding = bindDeviceSync(nic);
      sysfs.failures.set('drivers/e1000e/bind', 'ENODEV');
      await assert.rejects(binding.restore(), {
        code: 'ERR_VFIO_NOT_BOUND',
        message: /^Giving 0000:03:00.0 back to e1000e failed: it is on no driver now.*0, 0, 19/,
      });
    });

    it('tells both what failed and what failed while undoing it', () => {
      sysfs.add(nic, 'e1000e', 12);
      sysfs.failures.set('drivers_probe', 'EIO');
      sysfs.failures.set('drivers/e1000e/bind', 'ENODEV');
      assert.throws(
        () => bindDeviceSync(nic),
        (error: unknown) => {
          assert(error instanceof AggregateError);
          assert.deepEqual(
            error.errors.map((one: NodeJS.ErrnoException) => one.code),
            ['EIO', 'ERR_VFIO_NOT_BOUND'],
          );
          return true;
        },
      );
    });

    it('has nothing to complain about when the device was unplugged meanwhile', () => {
      sysfs.add(nic, 'e1000e', 12);
      const binding = bindDeviceSync(nic);
      sysfs.devices.delete(nic);
      binding.restoreSync();
    });
  });
});
