import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { bindDevice, type Binding, Container, Device, doctor, findDevice, Group } from 'vfio';
import { devices } from '../../../lab/devices';
import { cdevPath } from '../../../lib/iommufd/cdev';
import { covers } from '../../support/covers';
import { bound } from '../support/bound';
import { held } from '../support/held';
import { labSuite } from '../support/suite';
import { driverOf, groupOf } from '../support/sysfs';

/**
 * A driver of the stock kernel whose probe takes any PCI device it is made to. It does nothing with the device, but the
 * kernel cannot know that, so its group is not viable.
 */
const kernelDriver = 'iosf_mbi_pci';

labSuite('group: members, and the one in the way', () => {
  bound(devices.pairEdu);
  const id = (): number => groupOf(devices.pairEdu);

  it('lists every member with its driver; a device without one is not in the way', () => {
    using group = Group.open(devices.pairEdu);
    // A PCIe-to-PCI bridge is a member of its devices' group, a root port is not.
    const bridge = { address: devices.bridge, driver: undefined, inTheWay: false };
    const isRootPort = groupOf(devices.bridge) !== id();
    assert.equal(isRootPort, driverOf(devices.bridge) === 'pcieport');
    assert.deepEqual(group.members(), [
      ...(isRootPort ? [] : [bridge]),
      { address: devices.pairEdu, driver: 'vfio-pci', inTheWay: false },
      { address: devices.pairTestdev, driver: undefined, inTheWay: false },
    ]);
    assert.equal(group.status().viable, true);
    assert.deepEqual(
      findDevice(devices.pairEdu).groupMembers,
      group.members().map(member => member.address),
    );
  });

  describe('with a member on a kernel driver', () => {
    let binding: Binding;
    before(async () => {
      binding = await bindDevice(devices.pairTestdev, { driver: kernelDriver });
    });
    after(() => binding.restore());
    const inTheWay = new RegExp(`${devices.pairTestdev} is on (driver )?${kernelDriver}`);

    it('names it', () => {
      using group = Group.open(devices.pairEdu);
      assert.equal(group.status().viable, false);
      assert.deepEqual(
        group.members().filter(member => member.inTheWay),
        [{ address: devices.pairTestdev, driver: kernelDriver, inTheWay: true }],
      );
      covers('VFIO_GROUP_FLAGS_VIABLE');
    });

    it('refuses to attach the group, and names it', () => {
      using group = Group.open(devices.pairEdu);
      using container = Container.open();
      assert.throws(() => container.attach(group), {
        code: 'ERR_VFIO_NOT_VIABLE',
        path: `/dev/vfio/${id()}`,
        message: inTheWay,
        cure: /bind every member/,
      });
      assert.deepEqual(container.groups, []);
      assert.equal(group.container, undefined);
    });

    it('refuses to open a device of it, names it, and leaves nothing open', async () => {
      const before = held();
      const expected = { code: 'ERR_VFIO_NOT_VIABLE', message: inTheWay };
      const via = 'group';
      await assert.rejects(Device.open(devices.pairEdu, { via }), expected);
      assert.throws(() => Device.openSync(devices.pairEdu, { via, bind: true }), expected);
      if (cdevPath(devices.pairEdu) !== undefined) {
        await assert.rejects(Device.open(devices.pairEdu, { via: 'cdev' }), {
          code: 'EPERM',
          message: inTheWay,
        });
      }
      assert.deepEqual(held(), before);
    });

    it('is what the doctor finds', () => {
      const report = doctor(devices.pairEdu);
      assert.equal(report.ok, false);
      const check = report.checks.find(one => one.name === 'group');
      assert.equal(check?.ok, false);
      assert.match(check.detail, inTheWay);
    });
  });

  it('is viable again as soon as that driver lets go', () => {
    assert.equal(driverOf(devices.pairTestdev), undefined);
    assert.ok(fs.existsSync(`/dev/vfio/${id()}`));
    Device.openSync(devices.pairEdu).closeSync();
    const checks = doctor(devices.pairEdu).checks.filter(check => !check.ok);
    assert.deepEqual(checks, []);
  });
});
