import assert from 'node:assert/strict';
import { Device, Iommufd } from 'vfio';
import { devices } from '../../../lab/devices';
import { needs } from '../../support/needs';
import { bound } from '../support/bound';
import { cdevMachine } from '../support/cdev';
import { ADDRESS_BITS, EduCard, fillPattern } from '../support/edu';
import { held } from '../support/held';
import { labSuite } from '../support/suite';

labSuite('iommufd: the devices of one group', () => {
  needs(cdevMachine);
  bound(devices.pairEdu, devices.pairTestdev);

  it('share an address space when Device.open() makes it', async () => {
    const before = held();
    const edu = await Device.open(devices.pairEdu);
    const testdev = await Device.open(devices.pairTestdev);
    assert.ok(edu.iommufd);
    assert.equal(testdev.iommufd, edu.iommufd);
    assert.equal(testdev.attached, edu.attached);
    assert.equal(testdev.dma, edu.dma);
    assert.equal(held().files['/dev/iommu'], 1);
    await edu.close();
    await testdev.close();
    assert.deepEqual(held(), before);
  });

  it('can be opened at the same time', async () => {
    const pair = await Promise.all([Device.open(devices.pairEdu), Device.open(devices.pairTestdev)]);
    assert.equal(pair[0].iommufd, pair[1].iommufd);
    assert.equal(held().files['/dev/iommu'], 1);
    await Promise.all(pair.map(device => device.close()));
  });

  it('keep what one uses when the other closes, its DMA memory too', async () => {
    const testdev = await Device.open(devices.pairTestdev);
    const edu = await Device.open(devices.pairEdu);
    const memory = testdev.dma.alloc(4096, { addressBits: ADDRESS_BITS });
    await testdev.close();
    assert.deepEqual([edu.closed, edu.iommufd?.closed, memory.freed], [false, false, false]);
    const card = new EduCard(edu);
    edu.enableBusMaster();
    fillPattern(memory.u8, 3);
    const sent = memory.u8.slice(0, 512);
    await card.readFrom(memory.iova, 512);
    memory.u8.fill(0);
    await card.writeTo(memory.iova, 512);
    assert.deepEqual(memory.u8.slice(0, 512), sent);

    const again = await Device.open(devices.pairTestdev);
    assert.equal(again.attached, edu.attached);
    await edu.close();
    assert.equal(memory.freed, false);
    await again.close();
    assert.equal(memory.freed, true);
  });

  it('keep the iommufd that came with one of them, also one that the user opened through it', async () => {
    const before = held();
    const testdev = await Device.open(devices.pairTestdev);
    const edu = await testdev.iommufd?.openDevice(devices.pairEdu);
    await testdev.close();
    assert.deepEqual([edu?.closed, edu?.iommufd?.closed], [false, false]);
    await edu?.close();
    assert.deepEqual(held(), before);
  });

  it('keep it for one that is still being opened through it', async () => {
    const before = held();
    const testdev = await Device.open(devices.pairTestdev);
    const opening = testdev.iommufd?.openDevice(devices.pairEdu);
    await testdev.close();
    const edu = await opening;
    assert.deepEqual([edu?.closed, edu?.iommufd?.closed], [false, false]);
    await edu?.close();
    assert.deepEqual(held(), before);
  });

  it('open anew when the user closed that, even with one still being opened through it', async () => {
    const before = held();
    const testdev = await Device.open(devices.pairTestdev);
    assert.ok(testdev.iommufd);
    const refused = assert.rejects(testdev.iommufd.openDevice(devices.pairEdu), { code: 'ERR_VFIO_CLOSED' });
    testdev.iommufd.close();
    assert.equal(testdev.closed, true);
    const again = await Device.open(devices.pairTestdev);
    await refused;
    await again.close();
    assert.deepEqual(held(), before);
  });

  it('join what the user opened by hand, which is then closed by hand', async () => {
    using iommufd = Iommufd.open();
    using ioas = iommufd.allocIoas();
    const edu = await iommufd.openDevice(devices.pairEdu);
    edu.attach(ioas);
    const testdev = await Device.open(devices.pairTestdev);
    assert.equal(testdev.attached, ioas);
    await testdev.close();
    assert.deepEqual([iommufd.closed, ioas.closed], [false, false]);

    edu.detach();
    const alone = await Device.open(devices.pairTestdev);
    assert.equal(alone.iommufd, iommufd);
    const own = alone.attached;
    assert.ok(own && own !== ioas);
    await alone.close();
    assert.equal(own.closed, true, 'made for it, as the other device had none');
    await edu.close();
  });

  it('are attached to one page table, all of them', async () => {
    using iommufd = Iommufd.open();
    using one = iommufd.allocIoas();
    using other = iommufd.allocIoas();
    await using edu = await iommufd.openDevice(devices.pairEdu);
    await using testdev = await iommufd.openDevice(devices.pairTestdev);
    edu.attach(one);
    assert.throws(() => testdev.attach(other), {
      code: 'EINVAL',
      syscall: 'VFIO_DEVICE_ATTACH_IOMMUFD_PT',
      message: /another device of its group is attached to another one/,
    });
    assert.equal(testdev.attached, undefined);
    testdev.attach(one);
    // The last one to leave takes nothing along.
    edu.detach();
    assert.equal(testdev.attached, one);
    testdev.detach();
  });
});
