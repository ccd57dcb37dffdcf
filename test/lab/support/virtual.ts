import { HwPageTable, type Ioas, Viommu } from 'vfio';
import { type MockDevice, MockIommu } from './mock';

/** `IOMMU_VIOMMU_TYPE_SELFTEST`, `IOMMU_VIOMMU_INVALIDATE_DATA_SELFTEST` and `IOMMU_HW_QUEUE_TYPE_SELFTEST` */
export const selftest = 0xdead_beef;
/** `IOMMU_VEVENTQ_TYPE_SELFTEST` */
export const selftestEvents = 0xbeef_beef;

/** A virtual IOMMU over the mock one, with all it is made of. */
export class VirtualMachine implements Disposable {
  readonly mock = new MockIommu();
  readonly ioas: Ioas = this.mock.iommufd.allocIoas();
  readonly device: MockDevice = this.mock.device(this.ioas);
  readonly parent = HwPageTable.alloc(this.device.device, this.ioas, { nestParent: true });
  readonly viommu = Viommu.alloc(this.device.device, selftest, this.parent);

  /** A page table that the virtual machine writes itself. */
  nest(): HwPageTable {
    const data = new Uint8Array(Uint32Array.of(0x0bad_beef).buffer);
    return HwPageTable.alloc(this.device.device, this.viommu, { user: { type: 0xdead, data } });
  }

  [Symbol.dispose](): void {
    this.mock.close();
  }
}
