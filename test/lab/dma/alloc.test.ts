import assert from 'node:assert/strict';
import { devices } from '../../../lab/devices';
import { residentBytes } from '../../support/memory-areas';
import { opened } from '../support/bound';
import { collect, collectUntil } from '../support/gc';
import { held, mappings } from '../support/held';
import { addressOf } from '../support/shared-memory';
import { labSuite } from '../support/suite';

const MiB = 2 ** 20;

labSuite('dma.alloc', () => {
  const edu = opened(devices.edu);
  afterEach(() => edu.device.dma.freeAll());

  it('gives zeroed memory, in whole pages, pinned and mapped', () => {
    const { dma } = edu.device;
    // Of an iommufd there is no budget to run out of.
    const available = (): number | undefined => edu.device.container?.iommuInfo().mappingsAvailable;
    const before = held();
    const first = available();
    const buffer = dma.alloc(5000);
    assert.equal(buffer.byteLength, 8192);
    assert.deepEqual([buffer.byteOffset, buffer.buffer.byteLength], [0, 8192]);
    assert.ok(buffer.u8.every(byte => byte === 0));
    assert.equal(available(), first === undefined ? undefined : first - 1);
    assert.equal(held().pinned, before.pinned + 8192);
    assert.deepEqual([dma.buffers, dma.bytesMapped], [[buffer], 8192]);
    assert.deepEqual([buffer.deviceReads, buffer.deviceWrites, buffer.freed], [true, true, false]);
  });

  it('shows the same memory in every element type', () => {
    const buffer = edu.device.dma.alloc(4096);
    buffer.u8.set([1, 2, 3, 4, 5, 6, 7, 8]);
    assert.deepEqual(
      [buffer.u16[0], buffer.u32[1], buffer.i32[0], buffer.u64[0]],
      [0x0201, 0x0807_0605, 0x0403_0201, 0x0807_0605_0403_0201n],
    );
    buffer.f64[1] = 1;
    assert.equal(buffer.u64[1], 0x3ff0_0000_0000_0000n);
    assert.equal(buffer.u32, buffer.u32, 'made once');
    assert.deepEqual([buffer.u16.length, buffer.u64.length], [2048, 512]);
  });

  it('knows the device’s address of every byte, and the way back', () => {
    const buffer = edu.device.dma.alloc(8192, { iova: 0x12_3456_7000n });
    assert.deepEqual([buffer.iova, buffer.iovaLo, buffer.iovaHi], [0x12_3456_7000n, 0x3456_7000, 0x12]);
    assert.equal(buffer.iovaAt(0), buffer.iova);
    assert.equal(buffer.iovaAt(8192), buffer.iova + 8192n);
    assert.equal(buffer.offsetOf(buffer.iova + 5n), 5);
    const outside = { code: 'ERR_OUT_OF_RANGE' };
    assert.throws(() => buffer.iovaAt(8193), outside);
    assert.throws(() => buffer.offsetOf(buffer.iova + 8192n), outside);
    assert.throws(() => buffer.offsetOf(buffer.iova - 1n), outside);
  });

  it('off the loop gives the same, several at a time', async () => {
    const { dma } = edu.device;
    const buffers = await Promise.all([1, 2, 3, 4].map(n => dma.allocAsync(n * 4096)));
    assert.deepEqual(
      buffers.map(buffer => buffer.byteLength),
      [4096, 8192, 12288, 16384],
    );
    assert.equal(new Set(buffers.map(buffer => buffer.iova)).size, 4);
    assert.equal(dma.bytesMapped, 40960);
  });

  it('takes the memory from the node that is asked for, and says when there is none such', () => {
    const { dma } = edu.device;
    assert.equal(dma.alloc(4096, { numa: 0 }).freed, false);
    const before = held();
    assert.throws(() => dma.alloc(4096, { numa: 9 }), {
      code: 'EINVAL',
      syscall: 'mbind',
      message: /this machine has no such NUMA node/,
    });
    assert.deepEqual(held(), before);
  });

  it('says how much was asked for when the machine does not have it', () => {
    const before = held();
    assert.throws(() => edu.device.dma.alloc(2 ** 38), {
      code: 'ENOMEM',
      syscall: 'mmap',
      message: /Allocating 274877906944 bytes failed.*out of memory/,
    });
    assert.deepEqual(held(), before);
  });

  it('gives memory back when it is freed, although a view is kept', () => {
    const { dma } = edu.device;
    const before = held();
    const buffer = dma.alloc(64 * MiB);
    const view = buffer.u8;
    assert.equal(held().pinned, before.pinned + 64 * MiB);
    const address = addressOf(view);
    assert.equal(residentBytes(address, view.length), 64 * MiB);
    view.fill(1, 0, 4096);
    buffer.free();
    assert.equal(held().pinned, before.pinned);
    assert.equal(residentBytes(address, view.length), 0);
    assert.equal(view[0], 0, 'it sees zeroes, and no device does');
    assert.equal(view.length, 64 * MiB);
  });

  it('many times over leaves no mapping behind', async () => {
    const { dma } = edu.device;
    const rounds = (): void => {
      for (let i = 0; i < 50; i++) dma.alloc(8192).free();
    };
    rounds();
    await collect();
    const before = { held: held(), areas: mappings().length };
    rounds();
    assert.deepEqual(held(), before.held);
    await collectUntil(() => mappings().length <= before.areas + 10);
  });
});
