import assert from 'node:assert/strict';
import { Container, Device, Iommu } from 'vfio';
import { devices } from '../../../lab/devices';
import { byGroup } from '../support/by-group';
import { bound } from '../support/bound';
import { Edu } from '../support/edu';
import { collect, collectUntil } from '../support/gc';
import { held, mappings } from '../support/held';
import { labSuite } from '../support/suite';
import { groupOf } from '../support/sysfs';

labSuite('Device.open', () => {
  bound(devices.edu);

  it('opens a device and all that is needed for it, and closes all of it', async () => {
    const before = held();
    const device = await Device.open(devices.edu, { via: 'group' });
    assert.equal(device.address, devices.edu);
    const { group, container } = byGroup(device);
    assert.equal(group.id, groupOf(devices.edu));
    assert.equal(container.iommuType, Iommu.Type1v2);
    assert.deepEqual(container.groups, [group]);
    assert.equal(device.bar(0).read32(Edu.ID), 0x0100_00ed);
    assert.equal(device.closed, false);
    await device.close();
    assert.deepEqual([device.closed, group.closed, container.closed], [true, true, true]);
    assert.deepEqual(held(), before);
  });

  it('takes the address as lspci prints it, in either case, and tells the full one', async () => {
    for (const address of ['04:00.0', '0000:04:00.0']) {
      await using device = await Device.open(address);
      assert.equal(device.address, devices.edu);
    }
    using device = Device.openSync('04:00.0', {});
    assert.equal(device.address, devices.edu);
  });

  it('leaves bus mastering off, as the kernel resets the device', async () => {
    await using first = await Device.open(devices.edu);
    assert.equal(first.config.busMaster, false);
    first.enableBusMaster();
    await first.close();
    await using second = await Device.open(devices.edu);
    assert.equal(second.config.busMaster, false);
    assert.equal(second.config.memoryDecoding, true);
  });

  it('joins the container it is given, and leaves that open', async () => {
    using container = Container.open();
    const device = await Device.open(devices.edu, { container });
    assert.equal(device.container, container);
    assert.equal(container.iommuType, Iommu.Type1v2);
    const memory = container.dma.alloc(4096);
    await device.close();
    assert.equal(container.closed, false);
    assert.deepEqual([container.groups, container.iommuType], [[], undefined]);
    assert.equal(memory.freed, true, 'the last group took the address space along');
    using again = Device.openSync(devices.edu, { container });
    assert.equal(again.container, container);
  });

  it('opens twenty times in a row, the asynchronous way and the other, and nothing grows', async () => {
    const use = (device: Device): void => {
      const mapping = device.bar(0).map();
      assert.equal(mapping.read32(Edu.ID), 0x0100_00ed);
      device.msi.enable(1)[0].on('interrupt', () => undefined);
      device.dma.alloc(4096).u32.fill(1);
    };
    {
      await using first = await Device.open(devices.edu);
      use(first);
    }
    await collect();
    const before = held();
    const areas = mappings().length;
    for (let i = 0; i < 20; i++) {
      if (i % 2 === 0) {
        await using device = await Device.open(devices.edu);
        use(device);
      } else {
        using device = Device.openSync(devices.edu);
        use(device);
      }
    }
    assert.deepEqual(held(), before);
    await collectUntil(() => mappings().length <= areas + 10);
  });
});
