import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { type Ioas, Iommufd } from 'vfio';
import { devices } from '../../../lab/devices';
import { kernelHas } from '../../../lab/kernel-features';
import { covers } from '../../support/covers';
import { needs } from '../../support/needs';
import { skip } from '../../support/skip';
import { bound } from '../support/bound';
import { cdevMachine } from '../support/cdev';
import { EduCard } from '../support/edu';
import { statusBytes } from '../support/held';
import { labSuite } from '../support/suite';

const PAGE = 4096;

labSuite('iommufd: memory of files', () => {
  needs(cdevMachine);
  bound(devices.edu);
  let iommufd: Iommufd;
  let ioas: Ioas;
  let fd: number;
  beforeEach(() => {
    iommufd = Iommufd.open();
    ioas = iommufd.allocIoas();
    const file = '/dev/shm/vfio-test-memory';
    fd = fs.openSync(file, 'w+');
    fs.unlinkSync(file);
    fs.ftruncateSync(fd, 4 * PAGE);
  });
  afterEach(() => {
    fs.closeSync(fd);
    iommufd.close();
  });
  const at = { iova: 0x30_0000n };

  it('is mapped without being in this process, and a device reaches it', async function () {
    if (!kernelHas('ioasMapFile')) skip(this, 'needs kernel 6.13');
    fs.writeSync(fd, Buffer.alloc(256, 0x5a), 0, 256, PAGE);
    const pinned = statusBytes('VmPin');
    using mapping = ioas.mapFile(fd, PAGE, 2 * PAGE, at);
    assert.deepEqual([mapping.iova, mapping.byteLength], [0x30_0000n, 2 * PAGE]);
    await using device = await iommufd.openDevice(devices.edu);
    device.attach(ioas);
    device.enableBusMaster();
    assert.equal(statusBytes('VmPin'), pinned + 2 * PAGE);
    const card = new EduCard(device);
    await card.readFrom(mapping.iova, 256);
    await card.writeTo(mapping.iova + BigInt(PAGE), 256);
    const read = Buffer.alloc(256);
    fs.readSync(fd, read, 0, 256, 2 * PAGE);
    assert.ok(read.every(byte => byte === 0x5a));
    covers('IOMMU_IOAS_MAP_FILE');
  });

  it('is charged to the process that asks, when all of it is of files', function () {
    if (!kernelHas('ioasChangeProcess')) skip(this, 'needs kernel 6.14');
    using mapping = ioas.mapFile(fd, 0, PAGE, at);
    assert.equal(mapping.closed, false);
    iommufd.changeProcess();
    covers('IOMMU_IOAS_CHANGE_PROCESS');
    ioas.dma.alloc(PAGE);
    assert.throws(() => iommufd.changeProcess(), { code: 'EINVAL', syscall: 'IOMMU_IOAS_CHANGE_PROCESS' });
  });

  it('must be a memory file, and whole pages of it', async () => {
    if (!kernelHas('ioasMapFile')) {
      assert.throws(() => ioas.mapFile(fd, 0, PAGE, at), {
        code: 'ERR_VFIO_UNSUPPORTED',
        message: /IOMMU_IOAS_MAP_FILE came with 6\.13/,
      });
      return;
    }
    // Its pages are asked for when a device can reach them.
    await using device = await iommufd.openDevice(devices.edu);
    device.attach(ioas);
    using disk = { fd: fs.openSync('/proc/self/exe', 'r'), [Symbol.dispose]: () => fs.closeSync(disk.fd) };
    assert.throws(() => ioas.mapFile(disk.fd, 0, PAGE, at), { syscall: 'IOMMU_IOAS_MAP_FILE' });
    for (const bad of [-1, 1.5, 2 ** 31])
      assert.throws(() => ioas.mapFile(bad, 0, PAGE, at), { code: 'ERR_OUT_OF_RANGE' });
    assert.throws(() => ioas.mapFile(fd, 1, PAGE, at), { syscall: 'IOMMU_IOAS_MAP_FILE', code: 'EINVAL' });
    assert.throws(() => ioas.mapFile(fd, 0, 0, at), { code: 'ERR_OUT_OF_RANGE' });
  });
});
