import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { Device, VfioError } from 'vfio';
import { devices } from '../../../lab/devices';
import { native } from '../../../lib/native';
import { byGroup } from '../support/by-group';
import { bound } from '../support/bound';
import { Edu } from '../support/edu';
import { held } from '../support/held';
import { labSuite } from '../support/suite';
import { driverOf } from '../support/sysfs';

/** Every system call that opening a device makes, in its order, and at how many of them it can fail at least. */
const calls: Record<string, number> = {
  open: 2,
  VFIO_GET_API_VERSION: 1,
  VFIO_GROUP_GET_STATUS: 1,
  VFIO_GROUP_SET_CONTAINER: 1,
  VFIO_CHECK_EXTENSION: 1,
  VFIO_SET_IOMMU: 1,
  VFIO_IOMMU_GET_INFO: 1,
  VFIO_GROUP_GET_DEVICE_FD: 1,
  VFIO_DEVICE_GET_INFO: 1,
  VFIO_DEVICE_GET_REGION_INFO: 9,
  VFIO_DEVICE_GET_IRQ_INFO: 5,
  eventfd: 1,
  VFIO_DEVICE_SET_IRQS: 1,
  epoll_ctl: 1,
};

labSuite('Device.open that fails half-way', () => {
  const fails = (syscall: string, skip: number): void =>
    native().failNext(syscall, constants.errno.EMFILE, skip);
  const expected = (syscall: string) => (error: unknown) => {
    assert.ok(error instanceof VfioError, String(error));
    assert.deepEqual([error.code, error.syscall], ['EMFILE', syscall]);
    assert.match(error.message, new RegExp(`${syscall}.* answered EMFILE`));
    return true;
  };

  describe('leaves nothing open, whichever call it is that fails', () => {
    bound(devices.edu);
    for (const [syscall, least] of Object.entries(calls)) {
      it(syscall, () => {
        const before = held();
        let failures = 0;
        // One more than needed, so that the last one opens.
        for (let skip = 0; skip <= least + 1; skip++) {
          fails(syscall, skip);
          try {
            using device = Device.openSync(devices.edu);
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
        Device.openSync(devices.edu).closeSync();
      });
    }
  });

  it('does so off the loop as well', async () => {
    const before = held();
    for (const syscall of ['VFIO_SET_IOMMU', 'VFIO_GROUP_GET_DEVICE_FD', 'VFIO_DEVICE_SET_IRQS']) {
      fails(syscall, 0);
      await assert.rejects(Device.open(devices.edu, { bind: true }), expected(syscall));
      assert.deepEqual(held(), before);
    }
    await Device.open(devices.edu, { bind: true }).then(device => device.close());
  });

  it('gives a device back that was bound for it', async () => {
    for (const syscall of ['open', 'VFIO_GROUP_GET_DEVICE_FD']) {
      fails(syscall, 0);
      await assert.rejects(Device.open(devices.nicA, { bind: true }), expected(syscall));
      assert.equal(driverOf(devices.nicA), 'e1000e');
    }
    await using device = await Device.open(devices.nicA, { bind: true });
    assert.equal(device.closed, false);
  });

  it('leaves the container alone that it was given', async () => {
    await using first = await Device.open(devices.pairEdu, { bind: true });
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
