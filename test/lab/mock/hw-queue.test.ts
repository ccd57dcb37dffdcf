import assert from 'node:assert/strict';
import type { DmaBuffer } from 'vfio';
import { covers, refusal } from '../../support/covers';
import { needs } from '../../support/needs';
import { aperture, mockMachine } from '../support/mock';
import { labSuite } from '../support/suite';
import { selftest, VirtualMachine } from '../support/virtual';

labSuite('mock iommufd: hardware queues of a virtual machine', () => {
  needs({ ...mockMachine, feature: 'hwQueue' });
  let machine: VirtualMachine;
  let memory: DmaBuffer;
  beforeEach(() => {
    machine = new VirtualMachine();
    memory = machine.ioas.dma.alloc(8192, { iova: aperture.start });
  });
  afterEach(() => machine.mock.close());

  it('lie in memory of its address space', () => {
    const { viommu } = machine;
    const first = viommu.addHwQueue(selftest, 0, memory.iova, 4096);
    const second = viommu.addHwQueue(selftest, 1, memory.iova + 4096n, 64);
    assert.ok(first.id !== second.id);
    covers('IOMMU_HW_QUEUE_ALLOC');
    assert.throws(() => viommu.addHwQueue(selftest, 0, memory.iova, 4096), {
      code: 'EEXIST',
      syscall: 'IOMMU_HW_QUEUE_ALLOC',
    });
    assert.throws(() => first.close(), { code: 'EBUSY' }, 'the mock IOMMU has the second one depend on it');
    second.close();
    first.close();
    first.close();
    viommu.addHwQueue(selftest, 0, memory.iova, 4096).close();
  });

  it('keep that memory mapped', () => {
    const queue = machine.viommu.addHwQueue(selftest, 0, memory.iova, 4096);
    assert.throws(() => memory.free(), { code: 'EBUSY', syscall: 'IOMMU_IOAS_UNMAP' });
    assert.equal(memory.freed, false);
    queue.close();
    memory.free();
  });

  it('are of types and indexes that the hardware has', () => {
    const { viommu } = machine;
    for (const type of [0, 1]) {
      assert.throws(() => viommu.addHwQueue(type, 0, memory.iova, 4096), { code: 'ENOTSUP' });
    }
    refusal('IOMMU_HW_QUEUE_TYPE_DEFAULT', 'IOMMU_HW_QUEUE_TYPE_TEGRA241_CMDQV');
    assert.throws(() => viommu.addHwQueue(selftest, 2, memory.iova, 4096), { code: 'EINVAL' });
    assert.throws(
      () => viommu.addHwQueue(selftest, 1, memory.iova, 4096),
      { code: 'EIO' },
      'there is no first one',
    );
    assert.throws(() => viommu.addHwQueue(selftest, 0, 0x7000_0000n, 4096), { code: 'ENOENT' });
    const range = { code: 'ERR_OUT_OF_RANGE' };
    assert.throws(() => viommu.addHwQueue(selftest, -1, memory.iova, 4096), { ...range, message: /index/ });
    assert.throws(() => viommu.addHwQueue(selftest, 0, -1n, 4096), { ...range, message: /iova/ });
    assert.throws(() => viommu.addHwQueue(selftest, 0, memory.iova, 0), { ...range, message: /length/ });
  });
});
