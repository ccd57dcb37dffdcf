import assert from 'node:assert/strict';
import { HwPageTable, Viommu, ViommuType } from 'vfio';
import { covers, refusal } from '../../support/covers';
import { lacking, needs } from '../../support/needs';
import { MockIommu, mockMachine } from '../support/mock';
import { labSuite } from '../support/suite';
import { selftest, VirtualMachine } from '../support/virtual';

labSuite('mock iommufd: virtual IOMMUs', () => {
  needs({ ...mockMachine, feature: 'viommu' });

  it('are made over a nest parent, and tell what their type has to tell', () => {
    using machine = new VirtualMachine();
    const { viommu, parent, ioas, device } = machine;
    assert.deepEqual([viommu.ioas, viommu.iommufd, viommu.closed], [ioas, machine.mock.iommufd, false]);
    assert.deepEqual(viommu.data, new Uint8Array());
    covers('IOMMU_VIOMMU_ALLOC');

    const given = new Uint8Array(24);
    new DataView(given.buffer).setUint32(0, 0x1234_5678, true);
    const second = Viommu.alloc(device.device, selftest, parent, given);
    const view = new DataView(second.data.buffer, second.data.byteOffset);
    assert.equal(view.getUint32(4, true), 0x1234_5678, 'the mock IOMMU gives back what it got');
    assert.ok(
      given.subarray(4).every(byte => byte === 0),
      'what was passed is as it was',
    );
    second.close();
    second.close();
    assert.throws(() => parent.close(), { code: 'EBUSY' });
    viommu.close();
    parent.close();
  });

  it('are parents of page tables, to which devices of theirs are attached', () => {
    using machine = new VirtualMachine();
    const { viommu, device } = machine;
    const nested = machine.nest();
    assert.deepEqual([nested.ioas, nested.dma], [machine.ioas, machine.ioas.dma]);
    assert.throws(() => device.replace(nested), { code: 'ENOENT' }, 'which of its devices is it?');
    const known = viommu.addDevice(device.device, 0x99n);
    device.replace(nested);
    assert.throws(() => viommu.close(), { code: 'EBUSY', message: /another object is made over it/ });
    device.replace(machine.parent);
    nested.close();
    known.close();
    known.close();
    assert.equal(known.closed, true);
    viommu.close();
    covers('IOMMU_VDEVICE_ALLOC');
  });

  it('know a device by one number, and a number for one device', () => {
    using machine = new VirtualMachine();
    const { viommu, device, mock } = machine;
    const other = mock.device(machine.ioas);
    viommu.addDevice(device.device, 1n);
    assert.throws(() => viommu.addDevice(device.device, 2n), {
      code: 'EEXIST',
      syscall: 'IOMMU_VDEVICE_ALLOC',
    });
    assert.throws(() => viommu.addDevice(other.device, 1n), { code: 'EEXIST' });
    viommu.addDevice(other.device, 2n ** 40n);
    for (const id of [-1n, 2n ** 64n, 1.5]) {
      assert.throws(() => viommu.addDevice(other.device, id as bigint), { message: /virtualId/ });
    }
    using foreign = new MockIommu();
    const stranger = foreign.device(foreign.iommufd.allocIoas());
    assert.throws(() => viommu.addDevice(stranger.device, 3n), {
      message: /device must be bound to the same iommufd/,
    });
  });

  it('pass on invalidations for their devices', () => {
    using machine = new VirtualMachine();
    const { viommu, device } = machine;
    viommu.addDevice(device.device, 7n);
    const cached = (): boolean[] => [0, 1, 2, 3].map(entry => device.hasCached(entry, 0x0bad_dad));
    assert.deepEqual(cached(), [true, true, true, true]);
    /** Flags, the device's number, the entry's; flag 1 is for all entries. */
    const entries = (...numbers: number[]): Uint8Array => new Uint8Array(Uint32Array.from(numbers).buffer);
    assert.deepEqual(viommu.invalidate(selftest, 12, entries(0, 7, 1, 0, 7, 2)), { handled: 2 });
    assert.deepEqual(cached(), [true, false, false, true]);
    assert.throws(() => viommu.invalidate(selftest, 12, entries(0, 7, 0, 0, 8, 3)), {
      code: 'EINVAL',
      message: /failed after 1 of 2 entries/,
    });
    assert.deepEqual(cached(), [false, false, false, true]);
    assert.deepEqual(viommu.invalidate(selftest, 12, entries(1, 7, 0)), { handled: 1 });
    assert.deepEqual(cached(), [false, false, false, false]);
    covers('IOMMU_HWPT_INVALIDATE');
  });

  it('come in the types of the hardware', () => {
    using machine = new VirtualMachine();
    const { device, parent, ioas } = machine;
    const refused = {
      code: 'ENOTSUP',
      syscall: 'IOMMU_VIOMMU_ALLOC',
      message: /no virtual IOMMUs of that type/,
    };
    for (const type of Object.values(ViommuType)) {
      assert.throws(() => Viommu.alloc(device.device, type, parent), refused);
    }
    refusal('IOMMU_VIOMMU_TYPE_DEFAULT', 'IOMMU_VIOMMU_TYPE_ARM_SMMUV3', 'IOMMU_VIOMMU_TYPE_TEGRA241_CMDQV');
    const plain = HwPageTable.alloc(device.device, ioas);
    assert.throws(() => Viommu.alloc(device.device, selftest, plain), { code: 'EINVAL' });
    assert.throws(() => Viommu.alloc(device.device, -1, parent), {
      code: 'ERR_OUT_OF_RANGE',
      message: /type/,
    });
    assert.throws(() => Viommu.alloc(device.device, selftest, ioas as never), {
      message: /parent must be a HwPageTable/,
    });
    assert.throws(() => Viommu.alloc(device.device, selftest, parent, [] as never), {
      message: /data must be a Uint8Array/,
    });
    assert.throws(() => Viommu.alloc(null as never, selftest, parent), {
      message: /device must be a Device/,
    });
  });

  it('are useless once closed', () => {
    using machine = new VirtualMachine();
    const { viommu, device, parent } = machine;
    viommu.close();
    const closed = { code: 'ERR_VFIO_CLOSED' };
    assert.throws(() => viommu.addDevice(device.device, 1n), closed);
    assert.throws(() => viommu.addEventQueue(1, 1), closed);
    assert.throws(() => viommu.addHwQueue(1, 0, 0n, 4096), closed);
    assert.throws(() => viommu.invalidate(selftest, 12, new Uint8Array()), closed);
    assert.throws(() => machine.nest(), closed);
    parent.close();
    assert.throws(() => Viommu.alloc(device.device, selftest, parent), closed);
  });
});

labSuite('mock iommufd: virtual IOMMUs on an older kernel', () => {
  needs(mockMachine);

  it('are refused, naming the kernels', () => {
    using mock = new MockIommu();
    const ioas = mock.iommufd.allocIoas();
    const { device } = mock.device(ioas);
    const parent = HwPageTable.alloc(device, ioas, { nestParent: true });
    if (lacking({ feature: 'viommu' }) === undefined) {
      Viommu.alloc(device, selftest, parent).close();
      return;
    }
    assert.throws(() => Viommu.alloc(device, selftest, parent), {
      code: 'ERR_VFIO_UNSUPPORTED',
      errno: -25,
      syscall: 'IOMMU_VIOMMU_ALLOC',
      message: /this kernel is \d+\.\d+.*, and IOMMU_VIOMMU_ALLOC came with 6\.13/,
    });
  });
});
