import assert from 'node:assert/strict';
import { once } from 'node:events';
import { FaultQueue, HwPageTable, type Ioas, Iommufd, type PageFault } from 'vfio';
import { covers } from '../../support/covers';
import { lacking, needs } from '../../support/needs';
import { skip } from '../../support/skip';
import { type MockDevice, MockFlags, MockIommu, mockMachine } from '../support/mock';
import { labSuite } from '../support/suite';

/** `IOMMU_HWPT_DATA_SELFTEST` */
const user = { type: 0xdead, data: new Uint8Array(4) };

labSuite('mock iommufd: page faults of devices', () => {
  needs(mockMachine);
  let mock: MockIommu;
  let ioas: Ioas;
  let queue: FaultQueue;
  let table: HwPageTable;
  let device: MockDevice;
  beforeEach(() => {
    mock = new MockIommu();
    ioas = mock.iommufd.allocIoas();
    device = mock.device(ioas);
    queue = FaultQueue.alloc(mock.iommufd);
    // Kernels before 6.13 have the mock device report faults only from a page table that its user writes.
    const parent = HwPageTable.alloc(device.device, ioas, { nestParent: true });
    table = HwPageTable.alloc(device.device, parent, { faultQueue: queue, user });
    device.replace(table);
  });
  afterEach(() => mock.close());
  const address = 0x1234_5000n;

  it('are read, and answered', () => {
    assert.deepEqual(queue.read(), []);
    device.fault({ group: 7, permissions: 1, address });
    device.fault({ group: 8, permissions: 2 + 4 + 8, address: address + 4096n });
    const [read, write] = queue.read();
    assert.deepEqual(read, {
      deviceId: device.id,
      pasid: undefined,
      group: 7,
      last: true,
      read: true,
      write: false,
      execute: false,
      privileged: false,
      address,
      length: 0,
      cookie: read?.cookie,
    });
    assert.ok(write && Object.isFrozen(write));
    assert.deepEqual(
      [write.group, write.read, write.write, write.execute, write.privileged, write.address],
      [8, false, true, true, true, address + 4096n],
    );
    assert.deepEqual(queue.read(), []);
    queue.respond(read, true);
    queue.respond(write.cookie, false);
    covers(
      'IOMMU_FAULT_QUEUE_ALLOC',
      'IOMMU_HWPT_FAULT_ID_VALID',
      'IOMMU_PGFAULT_FLAGS_LAST_PAGE',
      'IOMMU_PGFAULT_PERM_READ',
      'IOMMU_PGFAULT_PERM_WRITE',
      'IOMMU_PGFAULT_PERM_EXEC',
      'IOMMU_PGFAULT_PERM_PRIV',
      'IOMMUFD_PAGE_RESP_SUCCESS',
      'IOMMUFD_PAGE_RESP_INVALID',
    );
  });

  it('arrive as an event, which reads them', async () => {
    const arrived = once(queue, 'faults') as Promise<[PageFault[]]>;
    await new Promise(setImmediate);
    device.fault({ group: 1, permissions: 2, address });
    const [faults] = await arrived;
    assert.deepEqual(
      faults.map(fault => [fault.group, fault.address]),
      [[1, address]],
    );
    for (const fault of faults) queue.respond(fault, true);
    // Without a listener they wait.
    device.fault({ group: 2, permissions: 2, address });
    await new Promise(setImmediate);
    assert.equal(queue.read().length, 1);
  });

  it('are answered once, by what came with them', () => {
    device.fault({ group: 1, permissions: 1, address });
    const [fault] = queue.read();
    assert.ok(fault);
    queue.respond(fault, true);
    const unknown = { code: 'EINVAL', syscall: 'write', message: /no fault with cookie \d+ waits/ };
    assert.throws(() => queue.respond(fault, true), unknown);
    assert.throws(() => queue.respond(4711, false), unknown);
    assert.throws(() => queue.respond(-1, true), { code: 'ERR_OUT_OF_RANGE', message: /cookie/ });
    assert.throws(() => queue.respond('1' as never, true), { code: 'ERR_INVALID_ARG_TYPE' });
    assert.throws(() => queue.respond(fault, 1 as never), {
      code: 'ERR_INVALID_ARG_TYPE',
      message: /success/,
    });
  });

  it('carry the PASID they happened in', function () {
    const lack = lacking({ feature: 'pasidAttach' });
    if (lack !== undefined) skip(this, lack);
    using other = mock.device(ioas, MockFlags.Pasid);
    const forPasids = HwPageTable.alloc(other.device, ioas, { faultQueue: queue, pasid: true });
    other.replace(HwPageTable.alloc(other.device, ioas, { pasid: true }));
    other.attachPasid(100, forPasids);
    other.fault({ pasid: 100, group: 3, permissions: 1, address });
    const [fault] = queue.read();
    assert.deepEqual([fault?.deviceId, fault?.pasid, fault?.group], [other.id, 100, 3]);
    queue.respond(fault ?? assert.fail(), true);
    covers('IOMMU_PGFAULT_FLAGS_PASID_VALID');
  });

  it('keep their queue open while a page table sends them there', () => {
    assert.throws(() => queue.close(), {
      code: 'ERR_VFIO_BUSY',
      message: new RegExp(`in use by page table ${table.id}`),
    });
    device.fault({ group: 1, permissions: 1, address });
    assert.equal(queue.read().length, 1, 'it goes on');
    device.replace(ioas);
    table.close();
    queue.close();
    queue.close();
    const closed = { code: 'ERR_VFIO_CLOSED', message: /page-fault queue is closed/ };
    assert.equal(queue.closed, true);
    assert.throws(() => queue.read(), closed);
    assert.throws(() => queue.respond(1, true), closed);
    assert.throws(() => HwPageTable.alloc(device.device, ioas, { faultQueue: queue }), closed);
  });

  it('go to a queue of the same iommufd', () => {
    using other = Iommufd.open();
    using foreign = FaultQueue.alloc(other);
    assert.throws(() => HwPageTable.alloc(device.device, ioas, { faultQueue: foreign }), {
      name: 'TypeError',
      message: /options\.faultQueue must be of the same iommufd/,
    });
    for (const wrong of [{}, 1, null]) {
      assert.throws(() => HwPageTable.alloc(device.device, ioas, { faultQueue: wrong as never }), {
        name: 'TypeError',
      });
      assert.throws(() => FaultQueue.alloc(wrong as never), {
        name: 'TypeError',
        message: /iommufd must be a/,
      });
    }
  });
});
