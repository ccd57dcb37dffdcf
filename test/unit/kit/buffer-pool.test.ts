import assert from 'node:assert/strict';
import { Arena, BufferPool, Burst } from 'vfio/kit';
import { PhysicalDma } from '../../../lib/dma/physical-dma.js';
import { Model, plainArena, sequence } from './model.js';

describe('kit: arena', () => {
  it('hands out zeroed, aligned, separate parts, and says when it is full', () => {
    const arena = new Arena(65536);
    assert.equal(arena.byteLength, 65536);
    const [a, b, c] = [arena.alloc(100), arena.alloc(1), arena.alloc(64, 4096)];
    assert(a > 0 && a % 64 === 0 && b >= a + 100 && b % 64 === 0 && c >= b + 1 && c % 4096 === 0);
    assert(arena.u8.subarray(a, a + 100).every(byte => byte === 0));
    arena.u8[c] = 0x42;
    assert.equal(arena.u32[c >> 2], 0x42);
    assert.equal(arena.u64[c >> 3], 0x42n);
    assert.throws(() => arena.alloc(65536), {
      code: 'ERR_VFIO_ARENA_FULL',
      message: /has \d+ of its 65536 bytes left, too few for 65536 more/,
    });
  });

  it('rounds up to 64 KiB, and refuses sizes that cannot be', () => {
    assert.equal(new Arena(1).byteLength, 65536);
    for (const bytes of [0, -1, 1.5, 2 ** 32, NaN])
      assert.throws(() => new Arena(bytes), { code: 'ERR_OUT_OF_RANGE' });
    assert.throws(() => new Arena('1' as unknown as number), { code: 'ERR_INVALID_ARG_TYPE' });
    const arena = new Arena(65536);
    assert.throws(() => arena.alloc(64, 3), /align must be a power of two; got 3/);
    assert.throws(() => arena.mapFor({} as never), /dma must be a Dma/);
  });
});

describe('kit: buffer pool', () => {
  const make = (debug = false): BufferPool => new BufferPool(new Arena(1 << 20), { count: 8, debug });

  it('gives out each buffer once, and 0 when there is none left', () => {
    const pool = make();
    const taken = sequence(8).map(() => pool.take());
    assert.deepEqual(
      [...taken].sort((a, b) => a - b),
      sequence(8).map(i => pool.start + (pool.stride + 64) * i),
    );
    assert.equal(pool.free, 0);
    assert.equal(pool.take(), 0);
    for (const handle of taken) pool.give(handle);
    assert.equal(pool.free, 8);
  });

  it('gives out first what came back last, which is still in the cache', () => {
    const pool = make();
    pool.take();
    const handle = pool.take();
    pool.give(handle);
    assert.equal(pool.take(), handle);
  });

  it('shows a buffer as bytes, the same array each time', () => {
    const pool = make();
    const handle = pool.take();
    const bytes = pool.bytes(handle);
    assert.equal(bytes.length, 2048);
    bytes[5] = 7;
    assert.equal(pool.arena.u8[handle + 5], 7);
    assert.equal(pool.bytes(handle), bytes);
    assert.throws(() => pool.bytes(handle + 1), {
      code: 'ERR_VFIO_NOT_YOURS',
      message: /none of the 8 that this pool has from/,
    });
  });

  it('tells the addresses that a device knows its buffers by', () => {
    const pool = make();
    const iova = 0x1_ffff_f000n - BigInt(pool.start);
    const { lo, hi } = pool.addressTable(iova);
    assert.deepEqual([...lo.subarray(0, 3)], [0xfffff000, 0x40, 0x1080]);
    assert.deepEqual([...hi.subarray(0, 3)], [1, 2, 2]);
    assert.equal(lo.length, 8);
    assert.throws(() => pool.addressTable(1.5 as never), { code: 'ERR_INVALID_ARG_TYPE' });
  });

  it('spreads the beginnings of its buffers over the lines of a cache, each frame in one page', () => {
    for (const bufferBytes of [256, 512, 1024, 2048, 4096, 16384]) {
      const pool = new BufferPool(new Arena(4 << 20), { count: 64, bufferBytes });
      const handles = sequence(64).map(() => pool.take());
      const lines = new Set(handles.map(handle => (handle / 64) % 64));
      assert.ok(lines.size >= 32, `${bufferBytes}: ${lines.size} lines`);
      for (const [i, handle] of handles.entries()) {
        const begin = pool.start + i * pool.stride;
        assert.ok(handle >= begin && handle + bufferBytes <= begin + pool.stride);
        const last = handle + Math.min(bufferBytes, 2048) - 1;
        assert.equal(handle >> 12, last >> 12, 'what lies in one page');
      }
    }
  });

  it('wastes no contiguous memory', () => {
    const pool = new BufferPool(plainArena(1 << 20), { count: 64 });
    const handles = sequence(64).map(() => pool.take());
    assert.deepEqual(
      handles,
      sequence(64).map(i => pool.start + 2112 * i),
    );
    assert.equal(new Set(handles.map(handle => (handle / 64) % 64)).size, 64);
    const dma = Object.create(PhysicalDma.prototype) as PhysicalDma;
    assert.ok(BufferPool.bytesFor(768, 2048, dma) < 1.05 * 768 * 2048);
  });

  it('says how large an arena it needs', () => {
    for (const [count, bufferBytes] of [
      [1, 256],
      [31, 16384],
      [1000, 2048],
    ] as const) {
      const arena = new Arena(BufferPool.bytesFor(count, bufferBytes));
      assert.equal(new BufferPool(arena, { count, bufferBytes, debug: true }).free, count);
    }
    assert.equal(BufferPool.bytesFor(8), BufferPool.bytesFor(8, 2048));
    assert.throws(() => BufferPool.bytesFor(0), { code: 'ERR_OUT_OF_RANGE' });
    assert.throws(() => BufferPool.bytesFor(1, 256, {} as never), /dma must be an? Dma/);
    assert.throws(() => BufferPool.bytesFor(1, 1000), /bufferBytes must be a power of two; got 1000/);
  });

  it('never has more buffers than it is made of', () => {
    const pool = make();
    assert.throws(() => pool.give(pool.start), { code: 'ERR_VFIO_NOT_YOURS' });
  });

  it('refuses options that cannot be', () => {
    const arena = new Arena(65536);
    assert.throws(() => new BufferPool(arena, { count: 0 }), /options\.count/);
    assert.throws(() => new BufferPool(arena, { count: 1, bufferBytes: 1000 }), /power of two; got 1000/);
    assert.throws(() => new BufferPool(arena, { count: 100 }), { code: 'ERR_VFIO_ARENA_FULL' });
    assert.throws(() => new BufferPool(7 as never, { count: 1 }), /arena must be an? Arena/);
    assert.throws(() => new BufferPool(arena, { count: 1, size: 2 } as never), {
      code: 'ERR_UNKNOWN_OPTION',
    });
  });

  describe('in debug mode', () => {
    it('refuses a buffer that is free already, or is none', () => {
      const pool = make(true);
      const handle = pool.take();
      pool.give(handle);
      assert.throws(() => pool.give(handle), { code: 'ERR_VFIO_NOT_YOURS', message: /it is free already/ });
      assert.throws(() => pool.give(handle + 4), { code: 'ERR_VFIO_NOT_YOURS' });
      assert.throws(() => pool.give(0), { code: 'ERR_VFIO_NOT_YOURS' });
    });

    it('refuses to send what is not there to be sent, and to give back what a device has', () => {
      const model = new Model({ debug: true });
      const burst = new Burst(model.arena, 8);
      const handle = model.pool.take();
      burst.set(0, handle, 60);
      burst.set(1, handle, 60);
      assert.throws(() => model.tx.burst(burst, 2), { code: 'ERR_VFIO_NOT_YOURS', message: /twice/ });
      assert.equal(model.tx.inFlight, 0, 'none was sent');
      assert.equal(model.tx.burst(burst, 1), 1);
      assert.throws(() => model.tx.burst(burst, 1), { code: 'ERR_VFIO_NOT_YOURS', message: /with a device/ });
      assert.throws(() => model.pool.give(handle), { code: 'ERR_VFIO_NOT_YOURS', message: /with a device/ });
      burst.set(0, 12345, 60);
      assert.throws(() => model.tx.burst(burst, 1), { code: 'ERR_VFIO_NOT_YOURS' });
      assert.throws(() => model.pool.give(model.buffer(model.rx, 0)), { code: 'ERR_VFIO_NOT_YOURS' });
    });

    it('hands received frames to the application, and takes frames that were not sent for its own', () => {
      const model = new Model({ debug: true });
      const burst = new Burst(model.arena, 8);
      for (let i = 0; i < 7; i++) model.deliver(i);
      assert.equal(model.rx.burst(burst), 7);
      assert.equal(model.tx.burst(burst, 5), 5);
      model.pool.give(burst.handle(5));
      model.pool.give(burst.handle(6));
      model.send();
      model.tx.burst(burst, 0);
      for (let i = 0; i < 7; i++) model.deliver(i);
      assert.equal(model.rx.burst(burst), 7);
      assert.equal(model.tx.burst(burst, 6), 6);
    });
  });

  it('names buffers in bursts of a size that can be', () => {
    const arena = new Arena(65536);
    const burst = new Burst(arena, 4);
    burst.set(3, 4096, 60);
    assert.deepEqual([burst.handle(3), burst.length(3), burst.words.length], [4096, 60, 8]);
    for (const capacity of [0, 4097, 2.5])
      assert.throws(() => new Burst(arena, capacity), { code: 'ERR_OUT_OF_RANGE' });
  });
});
