import assert from 'node:assert/strict';
import type { Dma, DmaBuffer } from '../../../lib/index.js';
import { native } from '../../../lib/native.js';
import { FakeKernel } from '../../support/fake-kernel.js';
import { struct } from '../../support/struct.js';

const page = native().pageSize;

describe('Dma', () => {
  let kernel: FakeKernel;
  let opened: ReturnType<FakeKernel['open']>;
  let dma: Dma;
  let memories: number;

  beforeEach(() => {
    kernel = new FakeKernel();
    opened = kernel.open();
    ({ dma } = opened.container);
    memories = native().liveObjects().memories;
    kernel.take();
  });
  afterEach(() => {
    opened.container.close();
    opened.group.close();
    kernel[Symbol.dispose]();
    assert.equal(native().liveObjects().memories, memories);
  });

  it('allocates zeroed memory and maps it', async () => {
    const buffer = dma.alloc(5000);
    assert.deepEqual([buffer.byteLength, buffer.iova, buffer.freed], [2 * page, 0x10_0000n, false]);
    assert(buffer.u8.every(byte => byte === 0));
    assert.deepEqual(kernel.take('dmaMap'), [`dmaMap 0 ${2 * page} 1048576 3 false`]);
    const second = await dma.allocAsync(1);
    assert.deepEqual([second.iova, kernel.take('dmaMap').length], [0x10_2000n, 1]);
    assert.deepEqual([dma.buffers, dma.bytesMapped], [[buffer, second], 3 * page]);
  });

  it('tells the kernel what the device may do', () => {
    dma.alloc(1, { deviceWrites: false });
    dma.alloc(1, { deviceReads: false });
    const flags = kernel.take('dmaMap').map(call => call.split(' ').at(-2));
    assert.deepEqual(flags, ['1', '2']);
    assert.deepEqual(
      dma.buffers.map(one => [one.deviceReads, one.deviceWrites]),
      [
        [true, false],
        [false, true],
      ],
    );
  });

  it('keeps to the address bits, and says when nothing fits', () => {
    assert.equal(dma.alloc(page, { addressBits: 21 }).iova, 0x10_0000n);
    const error = {
      name: 'VfioError',
      code: 'ERR_VFIO_NO_IOVA',
      message:
        /^No free IOVA range of 1048576 bytes, aligned to 4096, ends at or below 0x1fffff.*0x0-0xffffffffffffffff, of which 4096 bytes are mapped/,
    };
    assert.throws(() => dma.alloc(2 ** 20, { addressBits: 21 }), error);
  });

  it('takes the address asked for, or says what is wrong with it', () => {
    const buffer = dma.alloc(page, { iova: 0x20_0000n });
    assert.equal(buffer.iova, 0x20_0000n);
    assert.throws(() => dma.alloc(page, { iova: 0x20_0000 }), {
      code: 'EEXIST',
      message: /^IOVA 0x200000-0x200fff is mapped already, in whole or in part by 0x200000-0x200fff/,
    });
    assert.throws(() => dma.alloc(page, { iova: 0x20_0001 }), {
      code: 'ERR_OUT_OF_RANGE',
      message: /page size, 4096/,
    });
    assert.throws(() => dma.alloc(page, { iova: 2n ** 64n - 1n }), { code: 'ERR_OUT_OF_RANGE' });
    assert.throws(() => dma.alloc(2 * page, { iova: 0xffff_f000n, addressBits: 32 }), {
      code: 'ERR_OUT_OF_RANGE',
    });
    buffer.free();
    dma.alloc(page, { iova: 0x20_0000n });
  });

  it('maps what the user brought', async () => {
    const shared = new SharedArrayBuffer(4 * page);
    const start = alignedOffset(shared);
    const bytes = new Uint8Array(shared, start, 2 * page);
    const buffer = dma.map(bytes);
    assert.deepEqual([buffer.buffer, buffer.byteOffset, buffer.byteLength], [shared, start, 2 * page]);
    bytes[5] = 42;
    assert.equal(buffer.u8[5], 42);
    buffer.free();
    assert.equal(bytes[5], 42, 'only the mapping ended');
    const again = await dma.mapAsync(bytes, { iova: 'va' });
    assert.equal(again.iova % BigInt(page), 0n);
    assert.notEqual(again.iova, 0x10_0000n);
  });

  it('maps whole pages only', () => {
    const shared = new SharedArrayBuffer(4 * page);
    const start = alignedOffset(shared);
    const rule = {
      name: 'RangeError',
      code: 'ERR_OUT_OF_RANGE',
      message: /^memory must start on a page and be whole pages long/,
    };
    assert.throws(() => dma.map(new Uint8Array(shared, start, page - 1)), rule);
    assert.throws(() => dma.map(new Uint8Array(shared, start + 64, page)), rule);
  });

  it('refuses memory that could go away', () => {
    const refused = {
      name: 'TypeError',
      code: 'ERR_INVALID_ARG_TYPE',
      message: /^memory must be a SharedArrayBuffer.*transferred away/,
    };
    for (const memory of [new ArrayBuffer(page), new Uint8Array(page), Buffer.alloc(page)])
      assert.throws(() => dma.map(memory as never), refused);
  });

  it('leaves nothing when mapping fails', async () => {
    for (const [code, message] of [
      ['ENOSPC', /budget of DMA mappings is used up: 0 mappings exist, dma_entry_limit is 65535/],
      ['EINVAL', /the IOMMU refuses IOVA 0x100000-0x100fff.*an address within 0x0-0xffffffffffffffff/],
      ['EEXIST', /part of IOVA 0x100000-0x100fff is mapped already/],
    ] as const) {
      kernel.fail('dmaMap', code);
      assert.throws(() => dma.alloc(1), { name: 'VfioError', code, syscall: 'VFIO_IOMMU_MAP_DMA', message });
      kernel.fail('dmaMap', code);
      await assert.rejects(dma.allocAsync(1), { code, message });
    }
    assert.deepEqual([dma.buffers, native().liveObjects().memories], [[], memories]);
    assert.equal(dma.alloc(1).iova, 0x10_0000n, 'the address is free again');
  });

  it('leaves nothing when there is no memory', () => {
    for (const syscall of ['mmap', 'madvise']) {
      native().failNext(syscall, 12, 0);
      try {
        dma.alloc(1).free();
      } catch (error) {
        assert.equal((error as NodeJS.ErrnoException).code, 'ENOMEM');
      }
      native().failNext(syscall, 0, 0);
      assert.deepEqual([dma.buffers, native().liveObjects().memories], [[], memories]);
    }
    assert.deepEqual(kernel.mapped.size, 0);
  });

  it('does not keep a mapping whose container closed meanwhile', async () => {
    const mapping = dma.allocAsync(page);
    opened.container.close();
    await assert.rejects(mapping, { code: 'ERR_VFIO_CLOSED' });
    assert.equal(kernel.mapped.size, 0);
  });

  it('frees in one call, or one by one where the kernel cannot', () => {
    const buffers = [dma.alloc(1), dma.alloc(1)];
    dma.freeAll();
    dma.freeAll();
    assert.deepEqual(kernel.take('dmaUnmapAll'), ['dmaUnmapAll false']);
    assert(buffers.every(buffer => buffer.freed));
    kernel.extensions.delete(9);
    dma.alloc(1);
    kernel.take();
    dma.freeAll();
    assert.deepEqual(kernel.take('dmaUnmap', 'dmaUnmapAll'), ['dmaUnmap false']);
    assert.equal(dma.bytesMapped, 0);
  });

  it('keeps what the kernel does not unmap', () => {
    const buffer = dma.alloc(1);
    kernel.fail('dmaUnmap', 'ENOMEM');
    assert.throws(() => buffer.free(), { code: 'ENOMEM', message: /^Unmapping 0x100000 failed/ });
    assert.deepEqual([buffer.freed, dma.buffers], [false, [buffer]]);
    buffer.free();
  });

  it('uses the page size of the IOMMU', () => {
    opened.container.detach(opened.group.devices.length > 0 ? closeAll() : opened.group);
    kernel.iommu.pageSizes = 0x1_0000n;
    opened.container.attach(opened.group);
    opened.container.setIommu();
    assert.equal(dma.alloc(1).byteLength, 0x1_0000);
    assert.throws(() => dma.alloc(1, { iova: 0x1000 }), { message: /page size, 65536/ });
  });

  it('sees the narrower ranges of a group that joined', () => {
    const buffer = dma.alloc(page);
    kernel.iommu.capabilities = [{ id: 1, version: 1, data: struct(1, 0, 0n, 0x10_0fffn) }];
    dma.refreshRanges();
    assert.throws(() => dma.alloc(page), { code: 'ERR_VFIO_NO_IOVA' });
    buffer.free();
    assert.equal(dma.alloc(page).iova, 0x10_0000n);
  });

  function closeAll() {
    for (const device of opened.group.devices) device.closeSync();
    return opened.group;
  }
});

describe('DmaBuffer', () => {
  let kernel: FakeKernel;
  let opened: ReturnType<FakeKernel['open']>;
  let buffer: DmaBuffer;

  beforeEach(() => {
    kernel = new FakeKernel();
    opened = kernel.open();
    buffer = opened.device.dma.alloc(page, { iova: 0x12_3456_7000n });
  });
  afterEach(() => {
    opened.container.close();
    opened.group.close();
    kernel[Symbol.dispose]();
  });

  it('has its address in one and in two pieces', () => {
    assert.deepEqual([buffer.iova, buffer.iovaLo, buffer.iovaHi], [0x12_3456_7000n, 0x3456_7000, 0x12]);
    assert.equal(buffer.iovaAt(8), 0x12_3456_7008n);
    assert.equal(buffer.iovaAt(page), 0x12_3456_8000n, 'one past the end');
    assert.throws(() => buffer.iovaAt(page + 1), { code: 'ERR_OUT_OF_RANGE' });
    assert.equal(buffer.offsetOf(0x12_3456_7010n), 16);
    for (const iova of [0x12_3456_6fffn, 0x12_3456_8000n])
      assert.throws(() => buffer.offsetOf(iova), {
        code: 'ERR_OUT_OF_RANGE',
        message: /from 0x1234567000 to 0x1234567fff/,
      });
  });

  it('shows the same memory through every view, each made once', () => {
    buffer.u32[0] = 0x8765_4321;
    assert.deepEqual(
      [buffer.u8[0], buffer.u16[1], buffer.i32[0], buffer.u64[0]],
      [0x21, 0x8765, 0x8765_4321 | 0, 0x8765_4321n],
    );
    buffer.f64[1] = 1.5;
    assert.equal(buffer.u64[1], 0x3ff8_0000_0000_0000n);
    for (const view of ['u8', 'u16', 'u32', 'i32', 'u64', 'f64'] as const) {
      assert.equal(buffer[view], buffer[view]);
      assert.equal(buffer[view].byteLength, page);
    }
  });

  it('is freed once; its views show zeroes then', () => {
    const bytes = buffer.u8;
    bytes.fill(7);
    buffer.free();
    buffer.free();
    buffer[Symbol.dispose]();
    assert.equal(buffer.freed, true);
    assert(bytes.every(byte => byte === 0));
    const freed = {
      name: 'VfioError',
      code: 'ERR_VFIO_CLOSED',
      message: 'The DMA buffer at IOVA 0x1234567000 is closed',
    };
    for (const action of [() => buffer.u8, () => buffer.f64, () => buffer.buffer])
      assert.throws(action, freed);
    assert.equal(kernel.take('dmaUnmap').length, 1);
  });
});

/** The first page boundary of memory that need not start on one. */
function alignedOffset(shared: SharedArrayBuffer): number {
  const memory = native().memoryFromView(new Uint8Array(shared));
  const start = Number(native().memoryAddress(memory) % BigInt(page));
  native().memoryFree(memory);
  return start === 0 ? 0 : page - start;
}
