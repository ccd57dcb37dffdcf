import assert from 'node:assert/strict';
import { bindDevice, bindDeviceSync, Container, Device, doctor, findDevice, Group, parseAddress } from 'vfio';
import { devices } from '../../../lab/devices';
import { byGroup } from '../support/by-group';
import { opened } from '../support/bound';
import { Edu } from '../support/edu';
import { labSuite } from '../support/suite';
import { driverOf } from '../support/sysfs';
import { any, between, isBoolean, never, optional, wrongArguments } from '../support/wrong-arguments';

labSuite('wrong arguments: opening and binding', () => {
  const edu = opened(devices.edu, { via: 'group' });
  const undefined_ = (value: unknown): boolean => value === undefined;

  wrongArguments((add, addOptions) => {
    const openOptions = { bind: optional(isBoolean), container: undefined_ };
    add('Device.open', 'address', never, v => Device.open(any(v)), true);
    add('Device.openSync', 'address', never, v => Device.openSync(any(v)));
    addOptions('Device.open', 'options', openOptions, v => Device.open(devices.testdev, any(v)), true);
    addOptions('Device.openSync', 'options', openOptions, v => Device.openSync(devices.testdev, any(v)));
    add('Group.open', 'which', between(0, 2 ** 31 - 1), v => Group.open(any(v)));
    add('Group.openDevice', 'address', never, v => byGroup(edu.device).group.openDevice(any(v)), true);
    add('Group.openDeviceSync', 'address', never, v => byGroup(edu.device).group.openDeviceSync(any(v)));
    const extension = between(0, 2 ** 31 - 1);
    add('Container.checkExtension', 'extension', extension, v =>
      byGroup(edu.device).container.checkExtension(any(v)),
    );
    add('Container.attach', 'group', never, v => byGroup(edu.device).container.attach(any(v)));
    add('Container.detach', 'group', never, v => byGroup(edu.device).container.detach(any(v)));
    const type = (value: unknown): boolean => value === undefined || value === 1 || value === 3;
    add('Container.setIommu', 'type', type, v => byGroup(edu.device).container.setIommu(any(v)));
    const driver = (value: unknown): boolean =>
      value === undefined || (typeof value === 'string' && /^[\w-]+$/.test(value));
    add('bindDevice', 'address', never, v => bindDevice(any(v)), true);
    add('bindDeviceSync', 'address', never, v => bindDeviceSync(any(v)));
    addOptions('bindDevice', 'options', { driver }, v => bindDevice(devices.testdev, any(v)), true);
    addOptions('bindDeviceSync', 'options', { driver }, v => bindDeviceSync(devices.testdev, any(v)));
    add('parseAddress', 'address', never, v => parseAddress(any(v)));
    add('findDevice', 'address', never, v => findDevice(any(v)));
    add('doctor', 'address', undefined_, v => doctor(any(v)));
  });

  it('a driver’s name is a name and not a path', () => {
    for (const name of ['', '../e1000e', 'a b', 'vfio-pci\n', 'x/y', '.']) {
      assert.throws(() => bindDeviceSync(devices.testdev, { driver: name }), {
        code: 'ERR_INVALID_ARG_VALUE',
        message: /options\.driver/,
      });
    }
    assert.throws(() => bindDeviceSync(devices.testdev, { driver: 'constructor' }), {
      code: 'ERR_VFIO_NOT_BOUND',
    });
  });

  it('and all devices are where they were', () => {
    assert.equal(driverOf(devices.testdev), undefined);
    assert.equal(edu.device.bar(0).read32(Edu.ID), 0x0100_00ed);
    Container.open().close();
  });
});
