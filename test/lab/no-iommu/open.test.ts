import assert from 'node:assert/strict';
import { Container, Device, Group, Iommu } from 'vfio';
import { devices } from '../../../lab/devices';
import { native } from '../../../lib/native';
import { covers } from '../../support/covers';
import { needs } from '../../support/needs';
import { createProcess } from '../../support/processes';
import { bound } from '../support/bound';
import { mediated } from '../support/mdev';
import { labSuite } from '../support/suite';
import { driverOf, groupOf } from '../support/sysfs';

labSuite('no-IOMMU mode, before anything is bound', () => {
  needs({ profile: 'no-iommu', devices: [devices.edu] });

  it('a device is in no group, which is as much as to say that nothing guards it', async () => {
    await assert.rejects(Device.open(devices.edu, { bind: true }), { code: 'ERR_VFIO_NO_IOMMU' });
    assert.equal(driverOf(devices.edu), undefined);
  });

  it('with its name, { bind: true } makes the group, opens it, and gives the device back', async () => {
    await using device = await Device.open(devices.edu, { bind: true, noIommu: true });
    assert.equal(device.group?.noIommu, true);
    assert.equal(device.group.path, `/dev/vfio/noiommu-${device.group.id}`);
    assert.equal(device.bar(0).read32(0) & 0xffff, 0xed);
  });
});

labSuite('no-IOMMU mode', () => {
  needs({ profile: 'no-iommu', devices: [devices.edu, devices.testdev] });
  bound(devices.edu, devices.testdev);
  const [mtty] = mediated('mtty-1');
  const refused = { code: 'ERR_VFIO_NO_IOMMU', message: /nothing guards memory from its devices/ };

  it('is entered only when it is asked for by name, whatever nodes there are', async () => {
    await assert.rejects(Device.open(devices.edu), refused);
    await assert.rejects(Device.open(devices.edu, { via: 'group' }), refused);
    assert.throws(() => Device.openSync(devices.edu, { noIommu: false }), refused);
    assert.throws(() => Group.open(devices.edu), refused);
    assert.throws(() => Group.open(groupOf(devices.edu)), refused);
  });

  it('takes a yes or a no for its name', async () => {
    await assert.rejects(Device.open(devices.edu, { noIommu: 1 as unknown as boolean }), {
      name: 'TypeError',
      message: /options\.noIommu/,
    });
    assert.throws(() => Group.open(devices.edu, { noIommu: 'yes' as unknown as boolean }), {
      name: 'TypeError',
      message: /options\.noIommu/,
    });
  });

  it('warns, once', async () => {
    const { stdout, stderr, code } = await createProcess(
      ({ vfio }, addresses) => {
        const warnings: string[] = [];
        process.removeAllListeners('warning').on('warning', warning => warnings.push(warning.message));
        for (const address of [...addresses, ...addresses])
          vfio.Device.openSync(address, { noIommu: true }).closeSync();
        process.on('exit', () => process.stdout.write(JSON.stringify(warnings)));
      },
      [devices.edu, devices.testdev],
    );
    assert.deepEqual([stderr, code], ['', 0]);
    assert.deepEqual(JSON.parse(stdout), [
      'no-IOMMU mode: the device can reach all memory of this machine; nothing is protected from it',
    ]);
  });

  it('needs CAP_SYS_RAWIO, and says so', async () => {
    // Another effective user has none of root's capabilities until this one is root again.
    process.seteuid?.(65534);
    try {
      const lacking = { code: 'EPERM', likelyCause: 'this process lacks CAP_SYS_RAWIO' };
      assert.throws(() => Group.open(devices.edu, { noIommu: true }), lacking);
      await assert.rejects(Device.open(devices.edu, { noIommu: true }), lacking);
    } finally {
      process.seteuid?.(0);
    }
  });

  it('has an IOMMU of its own kind, and no other', async () => {
    await using device = await Device.open(devices.edu, { noIommu: true });
    const { container } = device;
    assert(container !== undefined);
    assert.equal(container.checkExtension('NoIommu'), 1);
    assert.throws(() => native().containerGetIommuInfo(container.handle), { code: 'ENOTTY' });
    covers('VFIO_NOIOMMU_IOMMU');
  });

  it('groups without an IOMMU share a container with each other', async () => {
    using container = Container.open();
    await using a = await Device.open(devices.edu, { noIommu: true, container });
    await using b = await Device.open(devices.testdev, { noIommu: true, container });
    assert.equal(a.container, b.container);
  });

  it('but not with others: we refuse, and so does the kernel', () => {
    using container = Container.open();
    using without = Group.open(devices.edu, { noIommu: true });
    using mediatedGroup = Group.open(mtty);
    assert.equal(mediatedGroup.noIommu, false);
    container.attach(without);
    assert.throws(() => container.attach(mediatedGroup), {
      code: 'ERR_VFIO_BUSY',
      message: /cannot share one|is not a no-IOMMU group/,
    });
    assert.throws(() => native().groupSetContainer(mediatedGroup.handle, container.handle), {
      syscall: 'VFIO_GROUP_SET_CONTAINER',
    });
    assert.throws(() => container.setIommu(Iommu.Type1v2), { syscall: 'VFIO_SET_IOMMU' });
    container.setIommu();
    assert.equal(container.iommuType, Iommu.NoIommu);
  });

  it('is nothing that a device with an IOMMU could be opened in', () => {
    assert.throws(() => Group.open(mtty, { noIommu: true }), {
      code: 'ERR_VFIO_UNSUPPORTED',
      cure: 'leave out noIommu: true',
    });
  });
});
