import assert from 'node:assert/strict';
import { type Ioas, Iommufd, type IovaRange } from 'vfio';
import { devices } from '../../../lab/devices';
import { covers } from '../../support/covers';
import { needs } from '../../support/needs';
import { bound } from '../support/bound';
import { cdevMachine } from '../support/cdev';
import { reservedRegions } from '../support/reserved';
import { labSuite } from '../support/suite';

labSuite('iommufd: allowed IOVAs', () => {
  needs(cdevMachine);
  bound(devices.edu);
  let iommufd: Iommufd;
  let ioas: Ioas;
  beforeEach(() => {
    iommufd = Iommufd.open();
    ioas = iommufd.allocIoas();
  });
  afterEach(() => iommufd.close());
  const low: IovaRange = { start: 0x400_0000n, last: 0x401_ffffn };
  const high: IovaRange = { start: 0x4000_0000n, last: 0x7fff_ffffn };

  it('are where addresses are chosen from; others are taken when asked for', () => {
    ioas.allowIovas([high, low]);
    assert.equal(ioas.dma.alloc(65536).iova, low.start);
    assert.equal(ioas.dma.alloc(65536).iova, low.start + 65536n);
    assert.equal(ioas.dma.alloc(4096).iova, high.start, 'the lower range is full');
    assert.equal(ioas.dma.alloc(4096, { iova: 0x1000_0000n }).iova, 0x1000_0000n);
    assert.throws(() => ioas.dma.alloc(4096, { addressBits: 27 }), {
      code: 'ERR_VFIO_NO_IOVA',
      message: /addresses are chosen from 0x4000000-0x401ffff, 0x40000000-0x7fffffff/,
    });
    covers('IOMMU_IOAS_ALLOW_IOVAS');
  });

  it('are replaced by those of the next call, and none is no restriction', () => {
    ioas.allowIovas([high]);
    ioas.allowIovas([low]);
    assert.equal(ioas.dma.alloc(4096).iova, low.start);
    ioas.allowIovas([]);
    assert.equal(ioas.dma.alloc(4096).iova, 0x10_0000n);
  });

  it('keep devices out that lack some of them', async () => {
    const windows = reservedRegions(devices.edu);
    await using device = await iommufd.openDevice(devices.edu);
    ioas.allowIovas([low, high]);
    device.attach(ioas);
    device.detach();
    for (const { start } of windows) {
      ioas.allowIovas([{ start, last: start + 0xfffn }]);
      assert.throws(() => device.attach(ioas), { code: 'EADDRINUSE', message: /mapped or allowed/ });
      assert.equal(device.attached, undefined);
    }
    ioas.allowIovas([]);
    device.attach(ioas);
    for (const { start } of windows) {
      assert.throws(() => ioas.allowIovas([{ start, last: start + 0xfffn }]), {
        code: 'EADDRINUSE',
        syscall: 'IOMMU_IOAS_ALLOW_IOVAS',
      });
    }
    assert.equal(ioas.dma.alloc(4096).iova, 0x10_0000n, 'a refusal changes nothing');
  });

  it('must be ranges', () => {
    const type = { code: 'ERR_INVALID_ARG_TYPE' };
    assert.throws(() => ioas.allowIovas(undefined as never), { ...type, message: /ranges must be an array/ });
    assert.throws(() => ioas.allowIovas([undefined] as never), { ...type, message: /ranges\[0\]\.start/ });
    assert.throws(() => ioas.allowIovas([low, { start: 1n }] as never), {
      ...type,
      message: /ranges\[1\]\.last/,
    });
    assert.throws(() => ioas.allowIovas([{ start: -1n, last: 1n }]), { code: 'ERR_OUT_OF_RANGE' });
    const backwards = { start: 0x2000n, last: 0x1000n };
    assert.throws(() => ioas.allowIovas([backwards]), {
      code: 'ERR_OUT_OF_RANGE',
      message: /ranges\[0\]\.last must be at least 0x2000, where the range starts/,
    });
    assert.throws(() => ioas.allowIovas([low, low]), { code: 'EINVAL', syscall: 'IOMMU_IOAS_ALLOW_IOVAS' });
  });
});
