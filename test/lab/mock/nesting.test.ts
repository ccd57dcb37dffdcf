import assert from 'node:assert/strict';
import { HwPageTable, HwptDataType, type Ioas } from 'vfio';
import { covers, refusal } from '../../support/covers';
import { needs } from '../../support/needs';
import { type MockDevice, MockIommu, mockMachine } from '../support/mock';
import { labSuite } from '../support/suite';

/** `IOMMU_HWPT_DATA_SELFTEST` and `IOMMU_HWPT_INVALIDATE_DATA_SELFTEST` */
const selftest = { table: 0xdead, invalidate: 0xdead_beef } as const;
/** What the four entries of a nested table's translation cache are in the beginning. */
const initial = 0x0bad_beef;

labSuite('mock iommufd: page tables that their user writes', () => {
  needs(mockMachine);
  let mock: MockIommu;
  let ioas: Ioas;
  let device: MockDevice;
  let parent: HwPageTable;
  beforeEach(() => {
    mock = new MockIommu();
    ioas = mock.iommufd.allocIoas();
    device = mock.device(ioas);
    parent = HwPageTable.alloc(device.device, ioas, { nestParent: true });
  });
  afterEach(() => mock.close());
  const user = { type: selftest.table, data: new Uint8Array(Uint32Array.of(initial).buffer) };
  const nest = (): HwPageTable => HwPageTable.alloc(device.device, parent, { user });
  const cached = (table: HwPageTable): boolean[] =>
    [0, 1, 2, 3].map(entry => mock.hasTranslation(table, entry, initial));
  /** Entries of an invalidation: flags and an entry's number; flag 1 is for all of them. */
  const entries = (...numbers: number[]): Uint8Array => new Uint8Array(Uint32Array.from(numbers).buffer);

  it('are made over a nest parent, and devices attached to them', () => {
    const nested = nest();
    assert.equal(nested.ioas, ioas);
    assert.equal(nested.dma, ioas.dma);
    device.replace(nested);
    assert.throws(() => nested.close(), { code: 'EBUSY' });
    assert.throws(() => parent.close(), { code: 'EBUSY', message: /another object is made over it/ });
    device.replace(parent);
    nested.close();
    covers('IOMMU_HWPT_ALLOC_NEST_PARENT');
  });

  it('are invalidated by their user', () => {
    const nested = nest();
    assert.deepEqual(cached(nested), [true, true, true, true]);
    assert.deepEqual(nested.invalidate(selftest.invalidate, 8, entries(0, 1, 0, 3)), { handled: 2 });
    assert.deepEqual(cached(nested), [true, false, true, false]);
    assert.deepEqual(nested.invalidate(selftest.invalidate, 8, entries(1, 0)), { handled: 1 });
    assert.deepEqual(cached(nested), [false, false, false, false]);
    assert.deepEqual(nested.invalidate(selftest.invalidate, 8, entries()), { handled: 0 });
    covers('IOMMU_HWPT_INVALIDATE');
  });

  it('say how far an invalidation came that failed', () => {
    const nested = nest();
    assert.throws(() => nested.invalidate(selftest.invalidate, 8, entries(0, 0, 0, 99, 0, 2)), {
      code: 'EINVAL',
      errno: -22,
      syscall: 'IOMMU_HWPT_INVALIDATE',
      message: /failed after 1 of 3 entries/,
    });
    assert.deepEqual(cached(nested), [false, true, true, true]);
    assert.throws(() => nested.invalidate(selftest.invalidate, 8, entries(2, 0)), { code: 'ENOTSUP' });
    assert.throws(() => nested.invalidate(0xdad_beef, 8, entries(0, 0)), { code: 'EINVAL' });
    assert.throws(() => parent.invalidate(selftest.invalidate, 8, entries(0, 0)), { message: /INVALIDATE/ });
  });

  it('come in the format of the hardware', () => {
    const formats = {
      IOMMU_HWPT_DATA_VTD_S1: [HwptDataType.VtdS1, 24],
      IOMMU_HWPT_DATA_ARM_SMMUV3: [HwptDataType.ArmSmmuV3, 16],
      IOMMU_HWPT_DATA_AMD_GUEST: [HwptDataType.AmdGuest, 32],
    } as const;
    for (const [type, bytes] of Object.values(formats)) {
      const data = new Uint8Array(bytes);
      assert.throws(() => HwPageTable.alloc(device.device, parent, { user: { type, data } }), {
        code: 'ENOTSUP',
        syscall: 'IOMMU_HWPT_ALLOC',
      });
    }
    refusal('IOMMU_HWPT_DATA_VTD_S1', 'IOMMU_HWPT_DATA_ARM_SMMUV3', 'IOMMU_HWPT_DATA_AMD_GUEST');
    const nested = nest();
    for (const dataType of [0, 1]) {
      assert.throws(() => nested.invalidate(dataType, 32, new Uint8Array(32)), { code: 'EINVAL' });
    }
    refusal('IOMMU_HWPT_INVALIDATE_DATA_VTD_S1', 'IOMMU_VIOMMU_INVALIDATE_DATA_ARM_SMMUV3');
  });

  it('need a parent that was made to be one', () => {
    const plain = HwPageTable.alloc(device.device, ioas);
    assert.throws(() => HwPageTable.alloc(device.device, plain, { user }), { code: 'EINVAL' });
    const nested = nest();
    assert.throws(() => HwPageTable.alloc(device.device, nested, { user }), { code: 'EINVAL' });
  });

  it('are asked for with sense', () => {
    const alloc = (options: object, over: unknown = parent): HwPageTable =>
      HwPageTable.alloc(device.device, over as never, options);
    const type = { code: 'ERR_INVALID_ARG_TYPE' };
    assert.throws(() => alloc({}, null), {
      ...type,
      message: /parent must be an Ioas, a HwPageTable or a Viommu/,
    });
    assert.throws(() => alloc({}, {}), type);
    for (const name of ['nestParent', 'dirtyTracking', 'pasid']) {
      assert.throws(() => alloc({ [name]: 1 }), { ...type, message: new RegExp(`options\\.${name}`) });
    }
    assert.throws(() => alloc({ dirty: true }), { code: 'ERR_UNKNOWN_OPTION' });
    assert.throws(() => alloc({ user: { type: 1 } }), { ...type, message: /options\.user\.data/ });
    assert.throws(() => alloc({ user: { data: new Uint8Array(8) } }), {
      ...type,
      message: /options\.user\.type/,
    });
    assert.throws(() => alloc({ user: 1 }), type);
    assert.throws(() => HwPageTable.alloc(undefined as never, ioas), {
      ...type,
      message: /device must be a Device/,
    });
    assert.throws(() => HwPageTable.alloc({} as never, ioas), type);
    const nested = nest();
    const range = { code: 'ERR_OUT_OF_RANGE' };
    assert.throws(() => nested.invalidate(-1, 8, entries()), range);
    assert.throws(() => nested.invalidate(1, 0, entries()), range);
    assert.throws(() => nested.invalidate(1, 8, entries(1)), {
      code: 'ERR_INVALID_ARG_VALUE',
      message: /whole number/,
    });
    assert.throws(() => nested.invalidate(1, 8, [1, 2] as never), type);
    nested.close();
    assert.throws(() => nested.invalidate(selftest.invalidate, 8, entries(1, 0)), {
      code: 'ERR_VFIO_CLOSED',
    });
    parent.close();
    assert.throws(() => alloc({}), { code: 'ERR_VFIO_CLOSED' });
  });
});
