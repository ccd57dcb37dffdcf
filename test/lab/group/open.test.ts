import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { Container, Group } from 'vfio';
import { devices } from '../../../lab/devices';
import { covers } from '../../support/covers';
import { bound } from '../support/bound';
import { held } from '../support/held';
import { labSuite } from '../support/suite';
import { groupOf } from '../support/sysfs';

labSuite('group: opening', () => {
  bound(devices.edu);

  it('takes the number or the address of a device, and refers to the same group', () => {
    const id = groupOf(devices.edu);
    for (const which of [id, devices.edu, '04:00.0']) {
      using group = Group.open(which);
      assert.equal(group.id, id);
      assert.equal(group.path, `/dev/vfio/${id}`);
      assert.deepEqual(group.status(), { viable: true, containerSet: false });
      assert.deepEqual([group.devices, group.container, group.closed], [[], undefined, false]);
    }
    covers('VFIO_GROUP_GET_STATUS', 'VFIO_GROUP_FLAGS_VIABLE');
  });

  it('opens a group once', () => {
    const before = held();
    using group = Group.open(devices.edu);
    for (const which of [group.id, devices.edu]) {
      assert.throws(() => Group.open(which), {
        code: 'ERR_VFIO_BUSY',
        message: new RegExp(`Group ${group.id} is open already in this process`),
      });
    }
    group.close();
    assert.deepEqual(held(), before);
    Group.open(devices.edu).close();
  });

  it('says that a group does not exist, or that no device of it is bound', () => {
    const missing = {
      code: 'ENOENT',
      syscall: 'open',
      message: /no device of that group is bound to vfio-pci/,
    };
    assert.throws(() => Group.open(9999), { ...missing, path: '/dev/vfio/9999' });
    assert.throws(() => Group.open(devices.testdev), missing);
    assert.throws(() => Group.open(groupOf(devices.nicA)), missing);
  });

  it('says that there is no such device, and what there is on its bus', () => {
    assert.throws(() => Group.open('0000:04:1f.7'), {
      code: 'ERR_VFIO_NO_DEVICE',
      address: '0000:04:1f.7',
      message: /0000:04:00\.0/,
    });
    assert.throws(() => Group.open('00ff:04:00.0'), { code: 'ERR_VFIO_NO_DEVICE' });
  });

  it('is useless once closed', async () => {
    const group = Group.open(devices.edu);
    group.close();
    group.close();
    const closed = { code: 'ERR_VFIO_CLOSED', message: new RegExp(`Group ${group.id} is closed`) };
    assert.equal(group.closed, true);
    assert.throws(() => group.status(), closed);
    assert.throws(() => group.openDeviceSync(devices.edu), closed);
    await assert.rejects(group.openDevice(devices.edu), closed);
    assert.deepEqual(
      group.members().map(member => member.address),
      [devices.edu],
      'sysfs still knows',
    );
  });

  it('closes, and its container with it, although its device was taken from vfio-pci meanwhile', () => {
    using container = Container.open();
    using group = Group.open(devices.edu);
    container.attach(group);
    container.setIommu();
    fs.writeFileSync('/sys/bus/pci/drivers/vfio-pci/unbind', devices.edu);
    try {
      container.close();
      group.close();
    } finally {
      fs.writeFileSync('/sys/bus/pci/drivers_probe', devices.edu);
    }
    Group.open(devices.edu).close();
  });
});
