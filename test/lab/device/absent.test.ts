import assert from 'node:assert/strict';
import { Device } from 'vfio';
import { devices } from '../../../lab/devices';
import { refusal } from '../../support/covers';
import { bound } from '../support/bound';
import { labSuite } from '../support/suite';

/** One of each kind that every machine with these devices has. */
const addresses = [devices.nicA, devices.nvme, devices.edu, devices.testdev];

/** `VFIO_REGION_TYPE_*` and, in the upper half, whether it is a PCI vendor's own. */
const regionType = { vendor: 0x8000_0000, ccw: 2, migration: 3 } as const;

/** What decoders read from made-up answers in unit tests, and these machines never say. */
labSuite('what the kernel says of no device here', () => {
  bound(...addresses);
  const open: Device[] = [];
  before(async () => {
    for (const address of addresses) open.push(await Device.open(address));
  });
  after(async () => {
    for (const device of open) await device.close();
  });

  it('that it is on another bus than PCI', () => {
    for (const { info } of open) {
      const { platform, amba, ccw, ap, fslMc, cdx } = info;
      assert.deepEqual([platform, amba, ccw, ap, fslMc, cdx], [false, false, false, false, false, false]);
    }
    refusal('VFIO_DEVICE_FLAGS_PLATFORM', 'VFIO_DEVICE_FLAGS_AMBA', 'VFIO_DEVICE_FLAGS_CCW');
    refusal('VFIO_DEVICE_FLAGS_AP', 'VFIO_DEVICE_FLAGS_FSL_MC', 'VFIO_DEVICE_FLAGS_CDX');
  });

  it('that it has capabilities as a device', () => {
    for (const { info } of open) assert.deepEqual([info.atomics, info.capabilities], [undefined, []]);
    refusal('VFIO_DEVICE_INFO_CAP_PCI_ATOMIC_COMP');
    refusal('VFIO_DEVICE_INFO_CAP_ZPCI_BASE', 'VFIO_DEVICE_INFO_CAP_ZPCI_GROUP');
    refusal('VFIO_DEVICE_INFO_CAP_ZPCI_UTIL', 'VFIO_DEVICE_INFO_CAP_ZPCI_PFIP');
  });

  it('that a region is mapped in parts, or has a capability without a name', () => {
    for (const { info } of open.flatMap(device => device.regions)) {
      assert.deepEqual([info.sparseAreas, info.unknown], [undefined, []]);
    }
    refusal('VFIO_REGION_INFO_CAP_SPARSE_MMAP');
    refusal('VFIO_REGION_INFO_CAP_NVLINK2_SSATGT', 'VFIO_REGION_INFO_CAP_NVLINK2_LNKSPD');
  });

  it("that a region is a PCI vendor's own, or of a kind that kernels had once", () => {
    for (const { info } of open.flatMap(device => device.regions)) {
      const type = info.type?.type ?? 0;
      assert.equal((type & regionType.vendor) !== 0, false);
      assert.equal(type === regionType.ccw || type === regionType.migration, false);
    }
    refusal('VFIO_REGION_TYPE_PCI_VENDOR_TYPE', 'VFIO_REGION_TYPE_MIGRATION_DEPRECATED');
    refusal('VFIO_REGION_SUBTYPE_NVIDIA_NVLINK2_RAM', 'VFIO_REGION_SUBTYPE_IBM_NVLINK2_ATSD');
  });
});
