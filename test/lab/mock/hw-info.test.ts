import assert from 'node:assert/strict';
import { covers, refusal } from '../../support/covers';
import { lacking, needs } from '../../support/needs';
import { skip } from '../../support/skip';
import { MockFlags, MockIommu, mockMachine } from '../support/mock';
import { labSuite } from '../support/suite';

/** `IOMMU_HW_INFO_TYPE_SELFTEST` */
const selftest = 0xfeed_beef;

labSuite('mock iommufd: what the IOMMU can do', () => {
  needs(mockMachine);

  it('is told in the format of its own, undecoded where the library does not know it', () => {
    using mock = new MockIommu();
    const { device } = mock.device(mock.iommufd.allocIoas());
    const info = mock.iommufd.hwInfo(device);
    assert.ok(Object.isFrozen(info));
    assert.deepEqual([info.dataType, info.name], [selftest, undefined]);
    assert.deepEqual(
      new Uint32Array(info.data.buffer, info.data.byteOffset, 2),
      Uint32Array.of(0, 0xdead_beef),
    );
    covers('IOMMU_GET_HW_INFO', 'IOMMU_HW_INFO_TYPE_DEFAULT');
  });

  it('is more for one device than for another', () => {
    using mock = new MockIommu();
    const ioas = mock.iommufd.allocIoas();
    const [plain, without] = [mock.device(ioas), mock.device(ioas, MockFlags.NoDirty)];
    assert.equal(mock.iommufd.hwInfo(plain.device).dirtyTracking, true);
    assert.equal(mock.iommufd.hwInfo(without.device).dirtyTracking, false);
    covers('IOMMU_HW_CAP_DIRTY_TRACKING');
  });

  it('has PASIDs where the device has', function () {
    const lack = lacking({ feature: 'pasidAttach' });
    if (lack !== undefined) skip(this, lack);
    using mock = new MockIommu();
    const ioas = mock.iommufd.allocIoas();
    const info = mock.iommufd.hwInfo(mock.device(ioas, MockFlags.Pasid).device);
    assert.deepEqual([info.maxPasidLog2, info.pasidExecute, info.pasidPrivileged], [20, false, false]);
    refusal('IOMMU_HW_CAP_PCI_PASID_EXEC', 'IOMMU_HW_CAP_PCI_PASID_PRIV');
    assert.equal(mock.iommufd.hwInfo(mock.device(ioas).device).maxPasidLog2, 0);
  });

  it('can be asked for in a format, if the IOMMU has that', function () {
    using mock = new MockIommu();
    const { device } = mock.device(mock.iommufd.allocIoas());
    const { iommufd } = mock;
    const wrong = { code: 'ERR_OUT_OF_RANGE', message: /options\.dataType/ };
    for (const dataType of [0, -1, 1.5, 2 ** 32])
      assert.throws(() => iommufd.hwInfo(device, { dataType }), wrong);
    assert.throws(() => iommufd.hwInfo(device, { type: 1 } as never), { code: 'ERR_UNKNOWN_OPTION' });
    if (lacking({ feature: 'hwQueue' }) !== undefined) {
      assert.throws(() => iommufd.hwInfo(device, { dataType: selftest }), {
        code: 'ERR_VFIO_UNSUPPORTED',
        message: /this kernel is .*, and a choice of its format came with 6\.17/,
      });
      return;
    }
    assert.equal(iommufd.hwInfo(device, { dataType: selftest }).data.length, 8);
    covers('IOMMU_HW_INFO_FLAG_INPUT_TYPE');
    const types = {
      IOMMU_HW_INFO_TYPE_ARM_SMMUV3: 2,
      IOMMU_HW_INFO_TYPE_TEGRA241_CMDQV: 3,
    } as const;
    for (const dataType of Object.values(types)) {
      assert.throws(() => iommufd.hwInfo(device, { dataType }), {
        code: 'ENOTSUP',
        syscall: 'IOMMU_GET_HW_INFO',
      });
    }
    refusal('IOMMU_HW_INFO_TYPE_ARM_SMMUV3', 'IOMMU_HW_INFO_TYPE_TEGRA241_CMDQV');
  });
});
