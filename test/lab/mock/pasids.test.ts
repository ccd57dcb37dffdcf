import assert from 'node:assert/strict';
import { HwPageTable, type Ioas } from 'vfio';
import { covers, refusal } from '../../support/covers';
import { lacking, needs } from '../../support/needs';
import { type MockDevice, MockFlags, MockIommu, mockMachine } from '../support/mock';
import { labSuite } from '../support/suite';

labSuite('mock iommufd: page tables for PASIDs', () => {
  needs({ ...mockMachine, feature: 'pasidAttach' });
  let mock: MockIommu;
  let ioas: Ioas;
  let device: MockDevice;
  let untagged: HwPageTable;
  beforeEach(() => {
    mock = new MockIommu();
    ioas = mock.iommufd.allocIoas();
    device = mock.device(ioas, MockFlags.Pasid);
    untagged = HwPageTable.alloc(device.device, ioas, { pasid: true });
    device.replace(untagged);
  });
  afterEach(() => mock.close());

  it('stand beside that of the untagged DMA, one for each PASID', () => {
    const [one, two] = [1, 2].map(() => HwPageTable.alloc(device.device, ioas, { pasid: true }));
    assert.ok(one && two);
    device.attachPasid(1, one);
    device.attachPasid(2, two);
    assert.ok(device.hasPasid(1, one) && device.hasPasid(2, two) && !device.hasPasid(1, two));
    device.replacePasid(1, two);
    assert.ok(device.hasPasid(1, two));
    device.detachPasid(2);
    assert.ok(device.hasPasid(2) && device.hasPasid(1, two));
    covers('IOMMU_HWPT_ALLOC_PASID');

    assert.throws(() => two.close(), { code: 'EBUSY', message: /a device is attached to it/ });
    device.detachPasid(1);
    two.close();
    one.close();
  });

  it('are made for it, also that of the untagged DMA', () => {
    const plain = HwPageTable.alloc(device.device, ioas);
    const table = HwPageTable.alloc(device.device, ioas, { pasid: true });
    assert.throws(() => device.attachPasid(1, plain), { code: 'EINVAL' });
    device.replace(plain);
    assert.throws(() => device.attachPasid(1, table), { code: 'EINVAL' });
  });

  it('are of no use to a device without PASIDs', () => {
    const without = mock.device(ioas);
    const table = HwPageTable.alloc(without.device, ioas, { pasid: true });
    without.replace(table);
    assert.throws(() => without.attachPasid(1, table), { code: 'EINVAL' });
  });
});

labSuite('mock iommufd: page tables for PASIDs on an older kernel', () => {
  needs(mockMachine);

  it('are refused, naming the kernels', function () {
    using mock = new MockIommu();
    const ioas = mock.iommufd.allocIoas();
    const { device } = mock.device(ioas);
    if (lacking({ feature: 'pasidAttach' }) === undefined) {
      HwPageTable.alloc(device, ioas, { pasid: true }).close();
      return;
    }
    assert.throws(() => HwPageTable.alloc(device, ioas, { pasid: true }), {
      code: 'ERR_VFIO_UNSUPPORTED',
      syscall: 'IOMMU_HWPT_ALLOC',
      message: /this kernel is \d+\.\d+.*, and a page table for PASIDs came with 6\.15/,
    });
    refusal('IOMMU_HWPT_ALLOC_PASID');
  });
});
