import assert from 'node:assert/strict';
import fs from 'node:fs';
import { native, type MemoryHandle } from '../../../lib/native';
import { flagsAt } from '../../support/memory-areas';
import { createProcess } from '../../support/processes';
import { skip } from '../../support/skip';
import { now, thrownBy } from './support';

describe('native memory', () => {
  const addon = native();
  const alloc = (length: number, alignment = 0, hugePageSize = 0, numaNode = -1): MemoryHandle =>
    now(addon.memoryAlloc(length, alignment, hugePageSize, numaNode, false));

  it('is zeroed, writable and page aligned', async () => {
    for (const memory of [alloc(10_000), await addon.memoryAlloc(10_000, 0, 0, -1, true)]) {
      const bytes = new Uint8Array(addon.memoryBuffer(memory));
      assert.equal(bytes.length, 10_000);
      assert(bytes.every(byte => byte === 0));
      bytes.fill(0xa5);
      assert.equal(addon.memoryAddress(memory) % BigInt(addon.pageSize), 0n);
      addon.memoryFree(memory);
    }
  });

  it('is aligned as asked', () => {
    for (const alignment of [1, 64, 4096, 8192, 2 ** 21, 2 ** 30]) {
      const memory = alloc(4096, alignment);
      assert.equal(addon.memoryAddress(memory) % BigInt(alignment), 0n, `to ${alignment}`);
      addon.memoryFree(memory);
    }
  });

  it('stays out of forked children', () => {
    const memory = alloc(4096);
    assert(flagsAt(addon.memoryAddress(memory)).includes('dc'));
    addon.memoryFree(memory);
  });

  it('stays out of them when a part of it was mapped for devices meanwhile', () => {
    const memory = alloc(3 * addon.pageSize);
    const container = addon.containerOpen('/dev/null');
    const part = addon.memoryFromView(
      new Uint8Array(addon.memoryBuffer(memory), addon.pageSize, addon.pageSize),
    );
    assert.throws(() => addon.dmaMap(container, part, 0, addon.pageSize, 0n, 3, false), { code: 'ENOTTY' });
    for (const page of [0, 1, 2]) {
      const flags = flagsAt(addon.memoryAddress(memory) + BigInt(page * addon.pageSize));
      assert(flags.includes('dc'), `page ${page}`);
    }
    addon.memoryFree(part);
    addon.memoryFree(memory);
    addon.containerClose(container);
  });

  it('asks for transparent huge pages where they fit', function () {
    if (!fs.existsSync('/sys/kernel/mm/transparent_hugepage')) {
      skip(this, 'this kernel has no transparent huge pages');
    }
    const [fitting, crooked] = [alloc(2 ** 22, 2 ** 21), alloc(2 ** 20)];
    assert(flagsAt(addon.memoryAddress(fitting)).includes('hg'));
    assert(!flagsAt(addon.memoryAddress(crooked)).includes('hg'));
    addon.memoryFree(fitting);
    addon.memoryFree(crooked);
  });

  it('takes huge pages when there are some', function () {
    const pool = '/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages';
    if (!fs.existsSync(pool) || Number(fs.readFileSync(pool, 'utf8')) < 2) {
      skip(this, 'no free 2 MiB pages in vm.nr_hugepages');
    }
    const memory = alloc(2 ** 21 + 1, 0, 2 ** 21);
    assert.equal(addon.memoryAddress(memory) % BigInt(2 ** 21), 0n);
    assert(flagsAt(addon.memoryAddress(memory)).includes('ht'));
    const bytes = new Uint8Array(addon.memoryBuffer(memory));
    addon.memoryFree(memory);
    assert.equal(bytes[2 ** 21], 0);
  });

  it('says that there are no huge pages of that size', () => {
    const error = thrownBy(() => alloc(2 ** 40, 0, 2 ** 30));
    assert(error.code === 'ENOMEM' || error.code === 'EINVAL', error.message);
    assert.equal(error.syscall, 'mmap');
  });

  it('says that there is no such NUMA node', function () {
    const error = thrownBy(() => alloc(4096, 0, 0, 1023));
    if (error.code === 'ENOSYS') {
      skip(this, 'this kernel has no NUMA support');
    }
    assert.deepEqual([error.code, error.syscall], ['EINVAL', 'mbind']);
  });

  it('can be placed on a NUMA node', function () {
    if (!fs.existsSync('/sys/devices/system/node/node0')) {
      skip(this, 'this kernel has no NUMA support');
    }
    addon.memoryFree(alloc(8192, 0, 0, 0));
  });

  it('has one ArrayBuffer', () => {
    const memory = alloc(4096);
    assert.equal(addon.memoryBuffer(memory), addon.memoryBuffer(memory));
    addon.memoryFree(memory);
  });

  it('shows zeroes to the views that are left when it is freed', () => {
    const memory = alloc(3 * 4096);
    const address = addon.memoryAddress(memory);
    const bytes = new Uint8Array(addon.memoryBuffer(memory));
    bytes.fill(1);
    addon.memoryFree(memory);
    assert(bytes.every(byte => byte === 0));
    bytes.fill(2);
    assert.equal(bytes[4096], 2);
    assert(flagsAt(address).length > 0, 'the addresses are still there');
  });

  it('leaves no addresses behind without views', () => {
    const freed = (): string[] => {
      const memory = alloc(1 << 20);
      const address = addon.memoryAddress(memory);
      addon.memoryFree(memory);
      return flagsAt(address);
    };
    // Another thread may take the place for memory of its own at once; not ten times.
    const seen = Array.from({ length: 10 }, freed);
    assert(
      seen.some(flags => flags.length === 0),
      `what is there: ${seen.join('; ')}`,
    );
  });

  it('goes back when it is collected, but not under a view', async () => {
    const { code, stdout, stderr } = await createProcess(
      async ({ native: addon }) => {
        const collect = async () => {
          for (let i = 0; i < 5; i++) {
            (globalThis as { gc?: () => void }).gc?.();
            await new Promise(resolve => setImmediate(resolve));
          }
        };
        const make = () => addon.memoryAlloc(4096, 0, 0, -1, false) as MemoryHandle;
        const hold = { bytes: new Uint8Array(addon.memoryBuffer(make())) as Uint8Array | undefined };
        for (let i = 0; i < 10; i++) make();
        await collect();
        console.log(addon.liveObjects().memories);
        hold.bytes?.fill(3);
        console.log(hold.bytes?.at(-1));
        hold.bytes = undefined;
        await collect();
        console.log(addon.liveObjects().memories);
      },
      null,
      { nodeArgs: ['--expose-gc'] },
    );
    assert.equal(stderr, '');
    assert.deepEqual([code, stdout], [0, '1\n3\n0\n']);
  });

  it('makes a new ArrayBuffer when the old one was collected', async () => {
    const { code, stdout, stderr } = await createProcess(
      async ({ native: addon }) => {
        const memory = addon.memoryAlloc(4096, 0, 0, -1, false) as MemoryHandle;
        for (let i = 0; i < 20; i++) {
          const bytes = new Uint8Array(addon.memoryBuffer(memory));
          console.log(bytes[0]);
          bytes[0] = i;
          (globalThis as { gc?: () => void }).gc?.();
          await new Promise(resolve => setImmediate(resolve));
        }
        addon.memoryFree(memory);
      },
      null,
      { nodeArgs: ['--expose-gc'] },
    );
    assert.equal(stderr, '');
    const expected = [0, ...Array.from({ length: 19 }, (_, i) => i)];
    assert.deepEqual([code, stdout.trim().split('\n').map(Number)], [0, expected]);
  });
});

/** Not among the types of ES2023, which leave it to browsers. */
const { WebAssembly } = globalThis as unknown as {
  WebAssembly: {
    Memory: new (size: { initial: number; maximum?: number; shared?: boolean }) => { buffer: ArrayBuffer };
  };
};

describe('native memory from a view', () => {
  it('goes to forked children again when it is not mapped', () => {
    const addon = native();
    const container = addon.containerOpen('/dev/null');
    const memory = addon.memoryFromView(new Uint8Array(new SharedArrayBuffer(16 * addon.pageSize)));
    for (let i = 0; i < 2; i++) {
      assert.throws(() => addon.dmaMap(container, memory, 0, 16 * addon.pageSize, 0n, 3, false), {
        code: 'ENOTTY',
      });
      const middle = addon.memoryAddress(memory) + BigInt(8 * addon.pageSize);
      assert(!flagsAt(middle).includes('dc'));
    }
    addon.memoryFree(memory);
    addon.containerClose(container);
  });

  const addon = native();

  it('has the address of the view', () => {
    const buffer = new SharedArrayBuffer(3 * 4096);
    const [whole, part] = [
      addon.memoryFromView(new Uint8Array(buffer)),
      addon.memoryFromView(new Uint8Array(buffer, 100, 50)),
    ];
    assert.equal(addon.memoryAddress(part) - addon.memoryAddress(whole), 100n);
    addon.memoryFree(whole);
    addon.memoryFree(part);
  });

  it('takes WebAssembly memory, shared or not, and Buffers', () => {
    for (const view of [
      new Uint8Array(new WebAssembly.Memory({ initial: 1 }).buffer),
      new Uint8Array(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer),
      Buffer.alloc(100_000),
    ]) {
      const memory = addon.memoryFromView(view);
      assert(addon.memoryAddress(memory) > 0n);
      addon.memoryFree(memory);
    }
  });

  it('has no buffer of its own', () => {
    const memory = addon.memoryFromView(new Uint8Array(10));
    assert.throws(() => addon.memoryBuffer(memory), TypeError);
    addon.memoryFree(memory);
  });

  it('must not be empty', () => assert.throws(() => addon.memoryFromView(new Uint8Array(0)), TypeError));

  it('keeps the view until it is freed or collected', async () => {
    const { code, stdout, stderr } = await createProcess(
      async ({ native: addon }) => {
        const collect = async () => {
          for (let i = 0; i < 5; i++) {
            (globalThis as { gc?: () => void }).gc?.();
            await new Promise(resolve => setImmediate(resolve));
          }
        };
        const held: { memory?: MemoryHandle } = {};
        const make = () => {
          const view = new Uint8Array(4096);
          held.memory = addon.memoryFromView(view);
          return new WeakRef(view.buffer);
        };
        for (const free of [true, false]) {
          const buffer = make();
          await collect();
          console.log(buffer.deref() !== undefined);
          if (free && held.memory !== undefined) addon.memoryFree(held.memory);
          else delete held.memory;
          await collect();
          addon.liveObjects();
          await collect();
          console.log(buffer.deref() !== undefined);
        }
        console.log(addon.liveObjects().memories);
      },
      null,
      { nodeArgs: ['--expose-gc'] },
    );
    assert.equal(stderr, '');
    assert.deepEqual([code, stdout], [0, 'true\nfalse\ntrue\nfalse\n0\n']);
  });
});
