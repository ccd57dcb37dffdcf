import assert from 'node:assert/strict';
import type { DmaBuffer } from 'vfio';
import { devices } from '../../../lab/devices';
import { byGroup } from '../support/by-group';
import { opened } from '../support/bound';
import { wasmMemory } from '../support/shared-memory';
import { labSuite } from '../support/suite';
import {
  any,
  between,
  isAddress,
  isBoolean,
  never,
  optional,
  wrongArguments,
} from '../support/wrong-arguments';

labSuite('wrong arguments: DMA memory', () => {
  const edu = opened(devices.edu, { via: 'group' });
  const memory = wasmMemory();
  let buffer: DmaBuffer;
  before(() => (buffer = edu.device.dma.alloc(4096)));
  after(() => buffer.free());
  const dma = () => edu.device.dma;

  wrongArguments((add, addOptions) => {
    const access = {
      deviceReads: optional(isBoolean),
      deviceWrites: optional(isBoolean),
      addressBits: optional(between(12, 64)),
      // An address that is none of ours to judge is judged by the IOMMU's ranges: not in this table.
      iova: optional(isAddress),
    };
    const allocOptions = {
      ...access,
      align: optional(v => v === 1 || v === 2 ** 32),
      hugepages: optional(isBoolean),
      numa: optional(between(0, 1023)),
    };
    const bytes = between(1, 2 ** 46);
    add('Dma.alloc', 'bytes', bytes, v => dma().alloc(any(v)));
    add('Dma.allocAsync', 'bytes', bytes, v => dma().allocAsync(any(v)), true);
    addOptions('Dma.alloc', 'options', allocOptions, v => dma().alloc(4096, any(v)));
    addOptions('Dma.allocAsync', 'options', allocOptions, v => dma().allocAsync(4096, any(v)), true);
    add('Dma.map', 'memory', never, v => dma().map(any(v)));
    add('Dma.mapAsync', 'memory', never, v => dma().mapAsync(any(v)), true);
    addOptions('Dma.map', 'options', access, v => dma().map(memory, any(v)));
    addOptions('Dma.mapAsync', 'options', access, v => dma().mapAsync(memory, any(v)), true);
    add('DmaBuffer.iovaAt', 'offset', between(0, 4096), v => buffer.iovaAt(any(v)));
    add('DmaBuffer.offsetOf', 'iova', never, v => buffer.offsetOf(any(v)));
  });

  it('and nothing was mapped', () => {
    assert.deepEqual(dma().buffers, [buffer]);
    assert.equal(byGroup(edu.device).container.iommuInfo().mappingsAvailable, 65534);
  });
});
