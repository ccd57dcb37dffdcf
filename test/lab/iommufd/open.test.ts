import assert from 'node:assert/strict';
import { Container, Device, Group, Iommufd } from 'vfio';
import { devices } from '../../../lab/devices';
import { covers } from '../../support/covers';
import { needs } from '../../support/needs';
import { bound } from '../support/bound';
import { cdevMachine, nodeOf } from '../support/cdev';
import { Edu } from '../support/edu';
import { held } from '../support/held';
import { labSuite } from '../support/suite';
import { groupOf } from '../support/sysfs';

labSuite('iommufd: opening a device by its own node', () => {
  needs(cdevMachine);
  bound(devices.edu, devices.nicA);

  it('binds it to an iommufd, without a group or a container', async () => {
    const before = held();
    using iommufd = Iommufd.open();
    const device = await iommufd.openDevice(devices.edu);
    const { files } = held();
    const opened = Object.entries(files).filter(([name]) => name.startsWith('/dev/'));
    assert.deepEqual(Object.fromEntries(opened), { '/dev/iommu': 1, [nodeOf(devices.edu)]: 1 });
    assert.deepEqual([device.iommufd, device.group, device.container], [iommufd, undefined, undefined]);
    assert.equal(device.groupId, groupOf(devices.edu));
    assert.deepEqual(iommufd.devices, [device]);
    covers('VFIO_DEVICE_BIND_IOMMUFD');

    await device.close();
    assert.deepEqual(iommufd.devices, []);
    iommufd.close();
    assert.deepEqual(held(), before);
  });

  it('gives registers and interrupts at once, but no DMA before it is attached', async () => {
    using iommufd = Iommufd.open();
    await using device = await iommufd.openDevice(devices.edu);
    assert.equal(device.bar(0).read32(Edu.ID) & 0xffff, 0xed);
    assert.equal(device.config.busMaster, false);
    const [vector] = device.msi.enable(1);
    vector.trigger();
    assert.equal(await vector.wait({ timeoutMs: 2000 }), 1);
    assert.equal(device.attached, undefined);
    assert.throws(() => device.dma, {
      code: 'ERR_VFIO_NO_IOMMU',
      address: devices.edu,
      cure: /device\.attach\(ioas\)/,
    });
  });

  it('shows the same device as its group does', async () => {
    for (const address of [devices.edu, devices.nicA]) {
      const seen = [];
      for (const via of ['cdev', 'group'] as const) {
        await using device = await Device.open(address, { via });
        assert.equal(device.iommufd !== undefined, via === 'cdev');
        seen.push({
          info: device.info,
          irqs: device.irqs,
          regions: device.regions.map(region => region.info),
          capabilities: device.config.capabilities(),
        });
      }
      assert.deepEqual(seen[0], seen[1]);
    }
  });

  it('is what Device.open() does by itself, attached to an address space of its own', async () => {
    const before = held();
    const device = await Device.open(devices.edu);
    assert.ok(device.iommufd && device.attached);
    assert.equal(device.container, undefined);
    assert.equal(device.dma, device.attached.dma);
    device.dma.alloc(4096);
    await device.close();
    assert.deepEqual(held(), before);
  });

  it('is not what Device.open() does when the group is asked for, or open already', async () => {
    {
      await using device = await Device.open(devices.edu, { via: 'group' });
      assert.ok(device.group && device.container);
    }
    {
      using container = Container.open();
      await using device = await Device.open(devices.edu, { container });
      assert.equal(device.container, container);
    }
    using group = Group.open(devices.edu);
    using container = Container.open();
    container.attach(group);
    container.setIommu();
    await using device = await Device.open(devices.edu);
    assert.equal(device.group, group);
  });

  it('works again and again', async () => {
    for (let i = 0; i < 3; i++) {
      using iommufd = Iommufd.open();
      const device = iommufd.openDeviceSync(devices.edu);
      assert.equal(device.bar(0).read32(Edu.ID) & 0xffff, 0xed);
      // The iommufd takes its devices along.
      if (i === 2) iommufd.close();
      else device.closeSync();
      assert.equal(device.closed, true);
      await Promise.resolve();
    }
  });

  it('refuses wishes that contradict each other', async () => {
    using iommufd = Iommufd.open();
    using ioas = iommufd.allocIoas();
    using container = Container.open();
    const busy = { code: 'ERR_VFIO_BUSY' };
    await assert.rejects(Device.open(devices.edu, { ioas, container }), busy);
    await assert.rejects(Device.open(devices.edu, { ioas, via: 'group' }), busy);
    await assert.rejects(Device.open(devices.edu, { container, via: 'cdev' }), busy);
    await assert.rejects(Device.open(devices.edu, { via: 'cdev', noIommu: true }), busy);
    await assert.rejects(Device.open(devices.edu, { via: 'iommufd' as 'cdev' }), {
      code: 'ERR_INVALID_ARG_VALUE',
      message: /options\.via must be 'cdev' or 'group'/,
    });
  });

  it('says that an unbound device has no node', async () => {
    using iommufd = Iommufd.open();
    await assert.rejects(iommufd.openDevice(devices.testdev), {
      code: 'ERR_VFIO_NOT_BOUND',
      address: devices.testdev,
      message: /no node in \/dev\/vfio\/devices.*no driver/,
    });
  });
});
