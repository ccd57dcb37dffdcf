import assert from 'node:assert/strict';
import { Container, Device, Group } from 'vfio';
import { devices } from '../../../lab/devices';
import { kernelHas } from '../../../lab/kernel-features';
import { covers, refusal } from '../../support/covers';
import { lacking, needs } from '../../support/needs';
import { skip } from '../../support/skip';
import { bound } from '../support/bound';
import { mediated } from '../support/mdev';
import { physical, virtualFunctions } from '../support/sriov';
import { labSuite } from '../support/suite';
import { groupOf } from '../support/sysfs';

const cdev = lacking({ iommufd: true }) === undefined;
const ways = cdev ? (['group', 'cdev'] as const) : (['group'] as const);

labSuite('hot reset plan: a device alone in its slot', () => {
  needs({ iommu: true, devices: [devices.edu] });
  bound(devices.edu);

  for (const via of ways) {
    it(`has only itself to reset (by ${via})`, async () => {
      await using device = await Device.open(devices.edu, { via });
      const plan = device.hotResetPlan();
      assert.deepEqual(plan, {
        devices: [{ address: devices.edu, group: groupOf(devices.edu), driver: 'vfio-pci', owned: true }],
        possible: true,
      });
      assert(Object.isFrozen(plan) && Object.isFrozen(plan.devices) && Object.isFrozen(plan.devices[0]));
      covers('VFIO_DEVICE_GET_PCI_HOT_RESET_INFO');
      if (via === 'cdev') covers('VFIO_PCI_HOT_RESET_FLAG_DEV_ID', 'VFIO_PCI_HOT_RESET_FLAG_DEV_ID_OWNED');
    });
  }
});

labSuite('hot reset plan: two devices on one bus', () => {
  needs({ iommu: true, devices: [devices.pairEdu, devices.pairTestdev] });
  bound(devices.pairEdu);

  for (const via of ways) {
    it(`names the other one, and that it cannot be reset as long as that is not on vfio-pci (by ${via})`, async () => {
      await using device = await Device.open(devices.pairEdu, { via });
      const group = groupOf(devices.pairEdu);
      assert.deepEqual(device.hotResetPlan(), {
        devices: [
          { address: devices.pairEdu, group, driver: 'vfio-pci', owned: true },
          { address: devices.pairTestdev, group, driver: undefined, owned: false },
        ],
        possible: false,
      });
      if (via === 'cdev') covers('VFIO_PCI_DEVID_NOT_OWNED');
    });
  }
});

labSuite('hot reset plan: two devices on one bus, both on vfio-pci', () => {
  needs({ iommu: true, devices: [devices.pairEdu, devices.pairTestdev] });
  bound(devices.pairEdu, devices.pairTestdev);

  for (const via of ways) {
    it(`needs only one of them open, as they are one group (by ${via})`, async () => {
      await using device = await Device.open(devices.pairEdu, { via });
      const { possible, devices: members } = device.hotResetPlan();
      assert.equal(possible, true);
      assert.deepEqual(
        members.map(({ address, owned }) => [address, owned]),
        [
          [devices.pairEdu, true],
          [devices.pairTestdev, true],
        ],
      );
      if (via === 'cdev') covers('VFIO_PCI_DEVID_OWNED');
    });
  }

  it('is the same with the group in hand and no Device.open', async () => {
    using container = Container.open();
    using group = Group.open(devices.pairEdu);
    container.attach(group);
    container.setIommu();
    await using device = await group.openDevice(devices.pairTestdev);
    assert.equal(device.hotResetPlan().possible, true);
  });
});

labSuite('hot reset plan: virtual functions', () => {
  needs({ profile: 'sr-iov' });
  const virtual = virtualFunctions(2);

  for (const via of ways) {
    it(`of the physical function names it, and since 7.3 its virtual functions (by ${via})`, async () => {
      await using device = await Device.open(physical, { via });
      assert.deepEqual(
        device.hotResetPlan().devices.map(one => one.address),
        [physical, ...(kernelHas('resetNamesVirtualFunctions') ? virtual : [])],
      );
    });

    it(`of a virtual function names all of the card, which others own (by ${via})`, async () => {
      const vfToken = '2ab74924-c335-45f4-9b16-8569e5b08258';
      await using owner = await Device.open(physical, { via: 'group', vfToken });
      await owner.close();
      const [mine, other] = virtual as [string, string];
      await using device = await Device.open(mine, via === 'group' ? { via, vfToken } : { via }).catch(() =>
        Device.open(mine, { via, vfToken }),
      );
      const { possible, devices: members } = device.hotResetPlan();
      assert.equal(possible, false);
      assert.deepEqual(
        members.map(({ address, group, owned }) => [address, group, owned]),
        [physical, mine, other].map(address => [address, groupOf(address), address === mine]),
      );
      await assert.rejects(device.hotReset(), {
        code: 'EPERM',
        message: new RegExp(
          `would also reset devices that this process does not own.*${physical} \\(group \\d+\\) is on vfio-pci`,
        ),
      });
    });
  }
});

labSuite('hot reset plan: what is on no bus', () => {
  needs({ profile: 'mdev' });
  const [mtty] = mediated('mtty-1');

  it('says so', async function () {
    if (!cdev) skip(this, 'needs /dev/iommu');
    await using device = await Device.open(mtty);
    const unsupported = {
      code: 'ERR_VFIO_UNSUPPORTED',
      message: new RegExp(`^${mtty} is on no bus and in no slot that could be reset`),
    };
    assert.throws(() => device.hotResetPlan(), unsupported);
    await assert.rejects(device.hotReset(), unsupported);
    assert.throws(() => device.hotResetSync(), unsupported);
    refusal('VFIO_DEVICE_GET_PCI_HOT_RESET_INFO');
  });
});
