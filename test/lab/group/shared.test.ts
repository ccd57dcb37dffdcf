import assert from 'node:assert/strict';
import { Container, Device, Group } from 'vfio';
import { devices } from '../../../lab/devices';
import { bound } from '../support/bound';
import { ADDRESS_BITS, Edu, EduCard, fillPattern } from '../support/edu';
import { held } from '../support/held';
import { labSuite } from '../support/suite';
import { groupOf } from '../support/sysfs';

labSuite('group: two devices share the one file the kernel allows', () => {
  bound(devices.pairEdu, devices.pairTestdev);
  const node = (): string => `/dev/vfio/${groupOf(devices.pairEdu)}`;

  it('opens it, and the container, once for both', async () => {
    const before = held();
    const edu = await Device.open(devices.pairEdu, { via: 'group' });
    const testdev = await Device.open(devices.pairTestdev, { via: 'group' });
    assert.equal(edu.group, testdev.group);
    assert.equal(edu.container, testdev.container);
    assert.equal(edu.dma, testdev.dma);
    const { files } = held();
    assert.deepEqual([files[node()], files['/dev/vfio/vfio'], files['anon_inode:[vfio-device]']], [1, 1, 2]);
    assert.deepEqual(edu.group?.devices, [edu, testdev]);
    await edu.close();
    await testdev.close();
    assert.deepEqual(held(), before);
  });

  it('opens both at the same time', async () => {
    const pair = await Promise.all([
      Device.open(devices.pairEdu, { via: 'group' }),
      Device.open(devices.pairTestdev, { via: 'group' }),
    ]);
    assert.equal(pair[0].group, pair[1].group);
    assert.equal(held().files[node()], 1);
    await Promise.all(pair.map(device => device.close()));
  });

  it('keeps what one uses when the other closes, its DMA memory too', async () => {
    const testdev = await Device.open(devices.pairTestdev, { via: 'group' });
    const edu = await Device.open(devices.pairEdu, { via: 'group' });
    const memory = testdev.dma.alloc(4096, { addressBits: ADDRESS_BITS });
    await testdev.close();
    assert.deepEqual([edu.closed, edu.group?.closed, memory.freed], [false, false, false]);
    const card = new EduCard(edu);
    edu.enableBusMaster();
    fillPattern(memory.u8, 3);
    const sent = memory.u8.slice(0, 512);
    await card.readFrom(memory.iova, 512);
    memory.u8.fill(0);
    await card.writeTo(memory.iova, 512);
    assert.deepEqual(memory.u8.slice(0, 512), sent);

    const again = await Device.open(devices.pairTestdev, { via: 'group' });
    assert.equal(again.group, edu.group);
    await edu.close();
    assert.equal(memory.freed, false);
    await again.close();
    assert.equal(memory.freed, true);
  });

  it('stays until the last device is closed, also one that the user opened through it', async () => {
    const before = held();
    const testdev = await Device.open(devices.pairTestdev, { via: 'group' });
    const { group, container } = testdev;
    const edu = await group?.openDevice(devices.pairEdu);
    const memory = container?.dma.alloc(4096);
    await testdev.close();
    assert.deepEqual([edu?.closed, group?.closed, container?.closed, memory?.freed], Array(4).fill(false));
    await edu?.close();
    assert.deepEqual([group?.closed, container?.closed, memory?.freed], [true, true, true]);
    assert.deepEqual(held(), before);
  });

  it('stays for a device that is still being opened through it', async () => {
    const before = held();
    const testdev = await Device.open(devices.pairTestdev, { via: 'group' });
    const opening = testdev.group?.openDevice(devices.pairEdu);
    await testdev.close();
    const edu = await opening;
    assert.deepEqual([edu?.closed, edu?.group?.closed, edu?.container?.closed], [false, false, false]);
    await edu?.close();
    assert.deepEqual(held(), before);
  });

  it('ends with the last one that could not be opened through it', async () => {
    const before = held();
    const testdev = await Device.open(devices.pairTestdev, { via: 'group' });
    assert.ok(testdev.group);
    const refused = assert.rejects(testdev.group.openDevice(devices.testdev), {
      syscall: 'VFIO_GROUP_GET_DEVICE_FD',
    });
    await testdev.close();
    await refused;
    assert.deepEqual(held(), before);
  });

  it('can be opened by hand, and is then closed by hand', async () => {
    using container = Container.open();
    using group = Group.open(devices.pairEdu);
    container.attach(group);
    container.setIommu();
    const edu = await group.openDevice(devices.pairEdu);
    const testdev = await Device.open(devices.pairTestdev, { via: 'group' });
    assert.equal(testdev.group, group);
    assert.equal(edu.bar(0).read32(Edu.ID) & 0xffff, 0xed);
    await testdev.close();
    await edu.close();
    assert.deepEqual([group.closed, container.closed], [false, false]);
  });

  it('is not shared with a container of the user’s choice when it has another', async () => {
    await using edu = await Device.open(devices.pairEdu, { via: 'group' });
    using container = Container.open();
    await assert.rejects(Device.open(devices.pairTestdev, { container }), {
      code: 'ERR_VFIO_BUSY',
      message: /open in another container/,
    });
    await using testdev = await Device.open(devices.pairTestdev, { container: edu.container });
    assert.equal(testdev.container, edu.container);
  });

  it('has only its own devices', async () => {
    await using edu = await Device.open(devices.pairEdu, { via: 'group' });
    assert.ok(edu.group);
    await assert.rejects(edu.group.openDevice(devices.testdev), {
      code: 'ENODEV',
      syscall: 'VFIO_GROUP_GET_DEVICE_FD',
      address: devices.testdev,
      message: new RegExp(
        `${devices.testdev} is not a member of the group.*${devices.pairEdu}, ${devices.pairTestdev}`,
      ),
    });
  });
});
