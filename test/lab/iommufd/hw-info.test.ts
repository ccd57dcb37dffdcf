import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { type Device, type HwInfo, Iommufd } from 'vfio';
import { devices } from '../../../lab/devices';
import { kernelHas } from '../../../lab/kernel-features';
import { covers } from '../../support/covers';
import { needs } from '../../support/needs';
import { bound } from '../support/bound';
import { cdevMachine } from '../support/cdev';
import { labSuite } from '../support/suite';

const register = (file: string): bigint =>
  BigInt(`0x${fs.readFileSync(`/sys/class/iommu/${file}`, 'utf8').trim()}`);

labSuite('iommufd: what the IOMMU of a device can do', () => {
  needs(cdevMachine);
  bound(devices.edu);
  let iommufd: Iommufd;
  let device: Device;
  let info: HwInfo;
  before(async () => {
    iommufd = Iommufd.open();
    device = await iommufd.openDevice(devices.edu);
    info = iommufd.hwInfo(device);
  });
  after(async () => {
    await device.close();
    iommufd.close();
  });

  it('is told in the format of its maker, as far as that has one', () => {
    const view = new DataView(info.data.buffer, info.data.byteOffset, info.data.byteLength);
    const maker = fs.readdirSync('/sys/class/iommu').find(name => !name.startsWith('iommufd_selftest'));
    if (maker?.startsWith('dmar') === true) {
      assert.deepEqual([info.dataType, info.name], [1, 'Intel VT-d']);
      // struct iommu_hw_info_vtd: flags, reserved, cap_reg, ecap_reg
      assert.equal(view.getUint32(0, true), 1, 'erratum 772415, which the kernel names on every processor');
      assert.equal(view.getBigUint64(8, true), register(`${maker}/intel-iommu/cap`));
      assert.equal(view.getBigUint64(16, true), register(`${maker}/intel-iommu/ecap`));
      covers('IOMMU_GET_HW_INFO', 'IOMMU_HW_INFO_TYPE_INTEL_VTD', 'IOMMU_HW_INFO_VTD_ERRATA_772415_SPR17');
    } else if (maker?.startsWith('ivhd') === true && info.dataType !== 0) {
      assert.deepEqual([info.dataType, info.name], [4, 'AMD-Vi']);
      // struct iommu_hw_info_amd: efr, efr2
      assert.notEqual(view.getBigUint64(0, true), 0n);
      covers('IOMMU_GET_HW_INFO', 'IOMMU_HW_INFO_TYPE_AMD');
    } else {
      assert.deepEqual([info.dataType, info.name, info.data.length], [0, undefined, 0]);
      covers('IOMMU_GET_HW_INFO', 'IOMMU_HW_INFO_TYPE_NONE');
    }
  });

  it('has no PASIDs for a device without that capability, and no translation in it', () => {
    assert.deepEqual([info.maxPasidLog2, info.pasidExecute, info.pasidPrivileged], [0, false, false]);
    if (kernelHas('errorsOfAnyPci')) {
      assert.equal(info.atsUnsupported, true);
      covers('IOMMU_HW_CAP_PCI_ATS_NOT_SUPPORTED');
    }
  });

  it('is frozen, and asked of devices of this iommufd only', () => {
    assert.ok(Object.isFrozen(info));
    using other = Iommufd.open();
    assert.throws(() => other.hwInfo(device), { message: /iommufd/ });
    assert.throws(() => iommufd.hwInfo({} as never), { name: 'TypeError' });
    assert.throws(() => iommufd.hwInfo(device, { dataType: 0 }), { code: 'ERR_OUT_OF_RANGE' });
  });
});
