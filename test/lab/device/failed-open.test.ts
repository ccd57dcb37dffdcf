import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { Device, VfioError } from 'vfio';
import { devices } from '../../../lab/devices';
import { native } from '../../../lib/native';
import { needs } from '../../support/needs';
import { byGroup } from '../support/by-group';
import { bound } from '../support/bound';
import { cdevMachine } from '../support/cdev';
import { Edu } from '../support/edu';
import { held } from '../support/held';
import { labSuite } from '../support/suite';
import { driverOf } from '../support/sysfs';

/** At how many calls of each kind that finds out about the device and arms its own events it can fail at least. */
const afterwards: Record<string, number> = {
  VFIO_DEVICE_GET_INFO: 1,
  VFIO_DEVICE_GET_REGION_INFO: 9,
  VFIO_DEVICE_GET_IRQ_INFO: 5,
  eventfd: 1,
  VFIO_DEVICE_SET_IRQS: 1,
  epoll_ctl: 1,
};

/** Every system call that opening a device by its group makes, in its order. */
const byGroupCalls: Record<string, number> = {
  open: 2,
  VFIO_GET_API_VERSION: 1,
  VFIO_GROUP_GET_STATUS: 1,
  VFIO_GROUP_SET_CONTAINER: 1,
  VFIO_CHECK_EXTENSION: 1,
  VFIO_SET_IOMMU: 1,
  VFIO_IOMMU_GET_INFO: 1,
  VFIO_GROUP_GET_DEVICE_FD: 1,
  ...afterwards,
};

/** The same by its cdev. */
const byCdevCalls: Record<string, number> = {
  open: 2,
  IOMMU_IOAS_ALLOC: 1,
  IOMMU_IOAS_IOVA_RANGES: 2,
  VFIO_DEVICE_BIND_IOMMUFD: 1,
  VFIO_DEVICE_ATTACH_IOMMUFD_PT: 1,
  ...afterwards,
};

const fails = (syscall: string, skip: number): void =>
  native().failNext(syscall, constants.errno.EMFILE, skip);
const expected = (syscall: string) => (error: unknown) => {
  assert.ok(error instanceof VfioError, String(error));
  assert.deepEqual([error.code, error.syscall], ['EMFILE', syscall]);
  assert.match(error.message, new RegExp(`${syscall}.* answered EMFILE`));
  return true;
};

/** Has each of the calls fail, one after the other: nothing may stay open. */
function eachFails(via: 'cdev' | 'group', calls: Record<string, number>): void {
  for (const [syscall, least] of Object.entries(calls)) {
    it(syscall, () => {
      const before = held();
      let failures = 0;
      // One more than needed, so that the last one opens.
      for (let skip = 0; skip <= least + 1; skip++) {
        fails(syscall, skip);
        try {
          using device = Device.openSync(devices.edu, { via });
          native().failNext(syscall, 0, 0);
          assert.equal(device.bar(0).read32(Edu.ID), 0x0100_00ed);
        } catch (error) {
          expected(syscall)(error);
          failures++;
        } finally {
          native().failNext(syscall, 0, 0);
        }
        assert.deepEqual(held(), before);
      }
      assert.ok(failures >= least, `${failures} failures`);
      Device.openSync(devices.edu, { via }).closeSync();
    });
  }
}

labSuite('Device.open by the cdev leaves nothing open, whichever call it is that fails', () => {
  needs(cdevMachine);
  bound(devices.edu);
  eachFails('cdev', byCdevCalls);

  it('off the loop as well', async () => {
    const before = held();
    for (const syscall of ['IOMMU_IOAS_ALLOC', 'VFIO_DEVICE_BIND_IOMMUFD', 'VFIO_DEVICE_ATTACH_IOMMUFD_PT']) {
      fails(syscall, 0);
      await assert.rejects(Device.open(devices.edu, { via: 'cdev' }), expected(syscall));
      assert.deepEqual(held(), before);
    }
  });
});

labSuite('Device.open by the group that fails half-way', () => {
  describe('leaves nothing open, whichever call it is that fails', () => {
    bound(devices.edu);
    eachFails('group', byGroupCalls);
  });

  it('does so off the loop as well', async () => {
    const before = held();
    for (const syscall of ['VFIO_SET_IOMMU', 'VFIO_GROUP_GET_DEVICE_FD', 'VFIO_DEVICE_SET_IRQS']) {
      fails(syscall, 0);
      await assert.rejects(Device.open(devices.edu, { bind: true, via: 'group' }), expected(syscall));
      assert.deepEqual(held(), before);
    }
    await Device.open(devices.edu, { bind: true, via: 'group' }).then(device => device.close());
  });

  it('gives a device back that was bound for it', async () => {
    for (const syscall of ['open', 'VFIO_GROUP_GET_DEVICE_FD']) {
      fails(syscall, 0);
      await assert.rejects(Device.open(devices.nicA, { bind: true, via: 'group' }), expected(syscall));
      assert.equal(driverOf(devices.nicA), 'e1000e');
    }
    await using device = await Device.open(devices.nicA, { bind: true, via: 'group' });
    assert.equal(device.closed, false);
  });

  it('leaves the container alone that it was given', async () => {
    await using first = await Device.open(devices.pairEdu, { bind: true, via: 'group' });
    const { container } = byGroup(first);
    for (const syscall of ['open', 'VFIO_GROUP_SET_CONTAINER', 'VFIO_DEVICE_GET_IRQ_INFO']) {
      fails(syscall, 0);
      assert.throws(() => Device.openSync(devices.edu, { bind: true, container }), expected(syscall));
      assert.deepEqual(container.groups, [first.group]);
      assert.equal(driverOf(devices.edu), undefined);
    }
    using second = Device.openSync(devices.edu, { bind: true, container });
    assert.equal(second.container, container);
  });
});
