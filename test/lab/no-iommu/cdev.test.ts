import assert from 'node:assert/strict';
import { Device, Iommufd } from 'vfio';
import { devices } from '../../../lab/devices';
import { cdevPath, isNoIommuCdev } from '../../../lib/iommufd/cdev';
import { physicalAddress } from '../../../lib/dma/physical-address';
import { covers } from '../../support/covers';
import { needs } from '../../support/needs';
import { bound } from '../support/bound';
import { EduCard, fillPattern } from '../support/edu';
import { addressOf } from '../support/shared-memory';
import { labSuite } from '../support/suite';

const PAGE = 4096;

labSuite('no-IOMMU mode, by the cdev and an iommufd', () => {
  needs({ profile: 'no-iommu', iommufd: true, feature: 'noiommuCdev', devices: [devices.edu] });
  bound(devices.edu);

  it('has a node whose name says so', () => {
    const node = cdevPath(devices.edu) ?? assert.fail('there is none');
    assert.match(node, /^\/dev\/vfio\/devices\/noiommu-vfio\d+$/);
    assert.equal(isNoIommuCdev(node), true);
  });

  it('is entered only when it is asked for by name', async () => {
    using iommufd = Iommufd.open();
    const refused = { code: 'ERR_VFIO_NO_IOMMU' };
    await assert.rejects(iommufd.openDevice(devices.edu), refused);
    await assert.rejects(Device.open(devices.edu), refused);
    await assert.rejects(Device.open(devices.edu, { via: 'cdev' }), refused);
    process.seteuid?.(65534);
    try {
      await assert.rejects(iommufd.openDevice(devices.edu, { noIommu: true }), {
        code: 'EPERM',
        likelyCause: 'this process lacks CAP_SYS_RAWIO',
      });
    } finally {
      process.seteuid?.(0);
    }
  });

  it('pins memory in an address space, which says where it is; the device reaches it there', async () => {
    using iommufd = Iommufd.open();
    using ioas = iommufd.allocIoas();
    await using device = await iommufd.openDevice(devices.edu, { noIommu: true });
    const buffer = ioas.dma.alloc(2 * PAGE);
    assert.throws(() => ioas.physicalAddress(buffer.iova), { code: 'ENOTSUP' });
    device.attach(ioas);
    assert.throws(() => device.dma, { code: 'ERR_VFIO_NO_IOMMU', message: /IOVAs mean nothing/ });

    const [first, second] = [0n, BigInt(PAGE)].map(offset =>
      ioas.physicalAddress(buffer.iova + offset, PAGE),
    );
    assert(first !== undefined && second !== undefined);
    assert.deepEqual(
      [first, second],
      [0, PAGE].map(offset => ({
        address: physicalAddress(addressOf(buffer.u8.subarray(offset, offset + 1))),
        length: PAGE,
      })),
    );
    assert.equal(ioas.physicalAddress(buffer.iova + 100n, 8).address, first.address + 100n);
    assert([PAGE, 2 * PAGE].includes(ioas.physicalAddress(buffer.iova).length));

    const edu = new EduCard(device);
    device.enableBusMaster();
    fillPattern(buffer.u8.subarray(0, PAGE), 7);
    await edu.readFrom(first.address, 1024);
    await edu.writeTo(second.address, 1024);
    assert.deepEqual(buffer.u8.slice(PAGE, PAGE + 1024), buffer.u8.slice(0, 1024));
    covers('IOMMU_IOAS_NOIOMMU_GET_PA');

    assert.throws(() => ioas.physicalAddress(buffer.iova + 0x1000_0000n), { code: 'ENOENT' });
    assert.throws(() => ioas.physicalAddress(-1n), { name: 'RangeError' });
    assert.throws(() => ioas.physicalAddress(buffer.iova, 0), { name: 'RangeError' });
    device.detach();
  });
});

labSuite('physical addresses of an address space', () => {
  needs({ iommu: true, iommufd: true, feature: 'deviceCdev', devices: [devices.edu] });
  bound(devices.edu);

  it('are nobody’s business where there is an IOMMU', async () => {
    using iommufd = Iommufd.open();
    using ioas = iommufd.allocIoas();
    await using device = await Device.open(devices.edu, { ioas });
    const buffer = device.dma.alloc(PAGE);
    assert.throws(() => ioas.physicalAddress(buffer.iova), {
      syscall: 'IOMMU_IOAS_NOIOMMU_GET_PA',
      code: /^(ERR_VFIO_UNSUPPORTED|ENOTSUP)$/,
    });
  });
});
