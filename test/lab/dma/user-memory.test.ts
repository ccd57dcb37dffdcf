import assert from 'node:assert/strict';
import { devices } from '../../../lab/devices';
import { opened } from '../support/bound';
import { held } from '../support/held';
import { wasmMemory } from '../support/shared-memory';
import { labSuite } from '../support/suite';

labSuite('dma: memory that the user brings', () => {
  const nic = opened(devices.nicA);

  it('is refused when it could go away while a device writes to it', () => {
    for (const memory of [new ArrayBuffer(8192), new Uint8Array(8192), Buffer.alloc(8192), 'memory', null, 4096]) {
      assert.throws(() => nic.device.dma.map(memory as never), {
        name: 'TypeError',
        code: 'ERR_INVALID_ARG_TYPE',
        message: /memory must be a SharedArrayBuffer or a view of one/,
      });
    }
  });

  it('must start on a page and be whole pages', () => {
    const shared = wasmMemory();
    for (const [offset, length] of [
      [16, 4096],
      [0, 100],
      [4096, 4097],
      [0, 0],
    ] as const) {
      assert.throws(() => nic.device.dma.map(new Uint8Array(shared, offset, length)), {
        name: 'RangeError',
        code: 'ERR_OUT_OF_RANGE',
        message: /must start on a page and be whole pages long/,
      });
    }
  });

  it('may be any view, and the whole of it', () => {
    const shared = wasmMemory();
    for (const memory of [shared, new Uint32Array(shared, 4096, 1024), new DataView(shared, 8192, 4096)]) {
      using buffer = nic.device.dma.map(memory);
      assert.equal(buffer.byteLength, memory.byteLength);
      assert.equal(buffer.buffer, shared);
    }
  });

  it('can be mapped twice, at two addresses', () => {
    const shared = wasmMemory();
    using first = nic.device.dma.map(shared);
    using second = nic.device.dma.map(shared);
    assert.notEqual(first.iova, second.iova);
    first.u8[0] = 7;
    assert.equal(second.u8[0], 7);
  });

  it('is only unmapped by free(), and stays with its owner', () => {
    const before = held();
    const shared = wasmMemory();
    const buffer = nic.device.dma.map(shared);
    assert.equal(held().pinned, before.pinned + shared.byteLength);
    buffer.u8[1] = 42;
    buffer.free();
    assert.equal(new Uint8Array(shared)[1], 42);
    assert.deepEqual(held(), before);
  });
});
