import assert from 'node:assert/strict';
import { once } from 'node:events';
import { covers, refusal } from '../../support/covers';
import { needs } from '../../support/needs';
import { mockMachine } from '../support/mock';
import { labSuite } from '../support/suite';
import { selftestEvents, VirtualMachine } from '../support/virtual';

/** The device's number in the virtual machine, which is all that an event of the mock IOMMU has to say. */
const virtualId = 0x4711n;
/** An event is a header of flags and sequence number, and that. */
const eventBytes = 12;

labSuite('mock iommufd: events for a virtual machine', () => {
  needs({ ...mockMachine, feature: 'veventq' });
  let machine: VirtualMachine;
  beforeEach(() => {
    machine = new VirtualMachine();
    machine.viommu.addDevice(machine.device.device, virtualId);
    machine.device.replace(machine.nest());
  });
  afterEach(() => machine.mock.close());
  const numbers = (bytes: Uint8Array): number[] => [
    ...new Uint32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)),
  ];

  it('are read in the order they came', () => {
    const queue = machine.viommu.addEventQueue(selftestEvents, 8);
    assert.deepEqual(queue.read(), new Uint8Array());
    machine.device.event();
    machine.device.event();
    const bytes = queue.read();
    assert.equal(bytes.length, 2 * eventBytes);
    assert.deepEqual(numbers(bytes), [0, 0, Number(virtualId), 0, 1, Number(virtualId)]);
    covers('IOMMU_VEVENTQ_ALLOC');
  });

  it('arrive as an event, which reads them', async () => {
    const queue = machine.viommu.addEventQueue(selftestEvents, 8);
    const arrived = once(queue, 'events') as Promise<[Uint8Array]>;
    await new Promise(setImmediate);
    machine.device.event();
    const [bytes] = await arrived;
    assert.deepEqual(numbers(bytes), [0, 0, Number(virtualId)]);
  });

  it('say when some were lost, because nobody read in time', () => {
    const queue = machine.viommu.addEventQueue(selftestEvents, 1);
    machine.device.event();
    machine.device.event();
    machine.device.event();
    const [flags, sequence, id, lostFlags, lostSequence, ...rest] = numbers(queue.read());
    assert.deepEqual([flags, sequence, id], [0, 0, Number(virtualId)]);
    assert.equal(lostFlags, 1);
    assert.ok(lostSequence !== undefined && lostSequence >= 1);
    assert.deepEqual(rest, []);
    covers('IOMMU_VEVENTQ_FLAG_LOST_EVENTS');
  });

  it('have one queue a type, of types that the hardware has', () => {
    const { viommu } = machine;
    const queue = viommu.addEventQueue(selftestEvents, 8);
    assert.throws(() => viommu.addEventQueue(selftestEvents, 8), {
      code: 'EEXIST',
      syscall: 'IOMMU_VEVENTQ_ALLOC',
    });
    assert.throws(() => viommu.addEventQueue(0, 8), { code: 'ENOTSUP' });
    refusal('IOMMU_VEVENTQ_TYPE_DEFAULT');
    for (const depth of [0, -1, 1.5, 2 ** 32]) {
      assert.throws(() => viommu.addEventQueue(1, depth), { code: 'ERR_OUT_OF_RANGE', message: /depth/ });
    }
    assert.throws(() => viommu.addEventQueue('1' as never, 8), {
      code: 'ERR_INVALID_ARG_TYPE',
      message: /type/,
    });
    assert.throws(() => viommu.close(), { code: 'EBUSY' });
    queue.close();
    queue.close();
    assert.throws(() => queue.read(), { code: 'ERR_VFIO_CLOSED' });
    viommu.addEventQueue(selftestEvents, 8).close();
  });
});
