import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { adopt, DmaBuffer, Mapping } from '../../../lib/index.js';
import { native } from '../../../lib/native.js';
import { Adopter } from '../../support/adopter.js';
import { FileDevice } from '../../support/file-device.js';
import { looseBuffer, looseMapping } from '../../support/loose.js';
import { collectGarbage } from '../../support/resources.js';

const ones = 0xffff_ffff;
const closed = { code: 'ERR_VFIO_CLOSED' };

describe('a mapping that is shared', () => {
  let device: FileDevice;
  let mapping: Mapping;

  beforeEach(() => {
    device = new FileDevice();
    mapping = looseMapping(device);
  });
  afterEach(() => {
    mapping.close();
    device[Symbol.dispose]();
  });

  it('is the same device in every worker, with every accessor', async () => {
    const token = mapping.share();
    assert.deepEqual(
      [mapping.share(), Object.isFrozen(token), Object.keys(token)],
      [token, true, ['vfio', 'key']],
    );
    await using one = await Adopter.start({ mapping: token });
    await using two = await Adopter.start({ mapping: token });
    await one.run(({ mapping }) => mapping.write32(4096 + 8, 0xcafe_f00d));
    assert.equal(await two.run(({ mapping }) => mapping.read32(4096 + 8)), 0xcafe_f00d);
    assert.equal(mapping.read16(4096 + 8), 0xf00d);
    const seen = await two.run(({ mapping, vfio }) => {
      mapping.write64(0, 0x1122_3344_5566_7788n);
      mapping.write8(1, 0xab);
      mapping.write16(2, 0xcdef);
      return [
        mapping.read64(0),
        mapping instanceof vfio.Mapping,
        mapping.size,
        mapping.offset,
        mapping.closed,
        mapping.dead,
        new Uint32Array(mapping.buffer)[1],
      ];
    });
    assert.deepEqual(seen, [0x1122_3344_cdef_ab88n, true, device.size, 0, false, false, 0x1122_3344]);
  });

  it('refuses there what it refuses here, and its region', async () => {
    await using worker = await Adopter.start({ mapping: mapping.share() });
    await assert.rejects(
      worker.run(({ mapping }) => mapping.read32(2)),
      { code: 'ERR_OUT_OF_RANGE', message: /offset must be a multiple of 4/ },
    );
    await assert.rejects(
      worker.run(({ mapping }) => mapping.read32(mapping.size)),
      { code: 'ERR_OUT_OF_RANGE' },
    );
    await assert.rejects(
      worker.run(({ mapping }) => mapping.region),
      { code: 'ERR_VFIO_UNSUPPORTED', message: /BAR0 of 0000:03:00\.0 was adopted/ },
    );
  });

  it('ends in every worker when it is closed: accessors throw, views are dead pages', async () => {
    const token = mapping.share();
    await using one = await Adopter.start({ mapping: token });
    await using two = await Adopter.start({ mapping: token });
    for (const worker of [one, two]) {
      await worker.run(({ mapping, kept }) => {
        kept['view'] = new Uint32Array(mapping.buffer);
        return undefined;
      });
    }
    mapping.close();
    for (const worker of [one, two]) {
      for (const order of [
        ({ mapping }: { mapping: Mapping }) => mapping.read32(0),
        ({ mapping }: { mapping: Mapping }) => mapping.write8(0, 1),
        ({ mapping }: { mapping: Mapping }) => mapping.dead,
        ({ mapping }: { mapping: Mapping }) => mapping.buffer,
        ({ mapping }: { mapping: Mapping }) => mapping.share(),
      ]) {
        await assert.rejects(worker.run(order), {
          ...closed,
          message: 'The mapping of BAR0 of 0000:03:00.0 is closed',
        });
      }
      const view = await worker.run(({ kept }) => (kept['view'] as Uint32Array).slice(0, 4));
      assert.deepEqual([...view], [ones, ones, ones, ones]);
      assert.equal(await worker.run(({ mapping }) => mapping.closed), true);
      await worker.run(({ mapping }) => mapping.close());
    }
  });

  it('ends under a worker that is reading it all the time', async () => {
    for (let round = 0; round < 5; round++) {
      const lent = looseMapping(device);
      await using worker = await Adopter.start({ mapping: lent.share() });
      const ended = worker.run(({ mapping }) => {
        const seen = new Set<number>();
        try {
          for (;;) seen.add(mapping.read32(0));
        } catch (error) {
          return { code: (error as { code?: string }).code, seen: [...seen] };
        }
      });
      await turn();
      lent.close();
      const { code, seen } = await ended;
      assert.equal(code, 'ERR_VFIO_CLOSED');
      assert.ok(
        seen.every(value => value === 1 || value === ones),
        `only the device and dead pages: ${seen.join()}`,
      );
    }
  });

  it('is left to its owner by a worker that closes it, or ends', async () => {
    const token = mapping.share();
    await using one = await Adopter.start({ mapping: token });
    const two = await Adopter.start({ mapping: token });
    await one.run(({ mapping }) => mapping.close());
    await assert.rejects(
      one.run(({ mapping }) => mapping.read32(0)),
      closed,
    );
    await two.worker.terminate();
    assert.equal(mapping.read32(4096), 2);
    await one.adopt({ mapping: token });
    assert.equal(await one.run(({ mapping }) => mapping.read32(4096)), 2);
  });

  it('dies for all at once, and comes back for all', async () => {
    await using worker = await Adopter.start({ mapping: mapping.share() });
    device.die();
    assert.deepEqual(await worker.run(({ mapping }) => [mapping.read32(0), mapping.dead]), [ones, true]);
    assert.deepEqual([mapping.dead, device.deaths()], [true, 1]);
    await worker.run(({ mapping }) => mapping.write32(0, 5));
    assert.equal(mapping.read32(0), ones, 'writes go nowhere');
    device.answer();
    native().deviceRevive(device.handle);
    assert.deepEqual(await worker.run(({ mapping }) => [mapping.read32(0), mapping.dead]), [1, false]);
  });

  it('can be adopted in its own thread, and outlives the object that shared it', async () => {
    const token = looseMapping(device).share();
    await collectGarbage();
    using here = adopt(token);
    assert.equal(here.read32(4096), 2);
    assert.equal(new Uint32Array(here.buffer)[1024], 2);
  });

  it('ends when its device closes, as it does at the end of its thread', async () => {
    await using worker = await Adopter.start({ mapping: mapping.share() });
    native().deviceClose(device.handle, false);
    await assert.rejects(
      worker.run(({ mapping }) => mapping.read32(0)),
      closed,
    );
  });
});

describe('a DMA buffer that is shared', () => {
  it('is the same memory in every worker, at the same IOVA', async () => {
    using buffer = looseBuffer();
    await using one = await Adopter.start({ buffer: buffer.share() });
    await using two = await Adopter.start({ buffer: buffer.share() });
    await one.run(({ buffer }) => (buffer.u32[3] = 0x1234_5678));
    assert.equal(buffer.u32[3], 0x1234_5678);
    const seen = await two.run(({ buffer, vfio }) => [
      buffer.u32[3],
      buffer instanceof vfio.DmaBuffer,
      buffer.iova,
      buffer.iovaHi,
      buffer.byteLength,
      buffer.byteOffset,
      buffer.deviceReads,
      buffer.deviceWrites,
      buffer.freed,
      buffer.iovaAt(8),
    ]);
    assert.deepEqual(seen, [
      0x1234_5678,
      true,
      buffer.iova,
      0x12,
      8192,
      0,
      true,
      false,
      false,
      buffer.iova + 8n,
    ]);
    await assert.rejects(
      two.run(({ buffer }) => buffer.freeDirty()),
      { code: 'ERR_VFIO_UNSUPPORTED', message: /Only the thread that made this buffer/ },
    );
  });

  it('is left to its owner by a worker that frees it', async () => {
    using buffer = looseBuffer();
    await using worker = await Adopter.start({ buffer: buffer.share() });
    await worker.run(({ buffer }) => buffer.u8.fill(7));
    await worker.run(({ buffer }) => buffer.free());
    await assert.rejects(
      worker.run(({ buffer }) => buffer.u8),
      closed,
    );
    assert.equal(buffer.u8[8191], 7);
  });

  it('ends in every worker when it is freed: accessors throw, kept views see zeroes', async () => {
    const buffer = looseBuffer();
    await using one = await Adopter.start({ buffer: buffer.share() });
    await using two = await Adopter.start({ buffer: buffer.share() });
    for (const worker of [one, two])
      await worker.run(({ buffer, kept }) => ((kept['view'] = buffer.u8.fill(0xab)), undefined));
    buffer.free();
    for (const worker of [one, two]) {
      await assert.rejects(
        worker.run(({ buffer }) => buffer.u32),
        { ...closed, message: 'The DMA buffer at IOVA 0x1234567000 is closed' },
      );
      assert.equal(await worker.run(({ buffer }) => buffer.freed), true);
      assert.ok(await worker.run(({ kept }) => (kept['view'] as Uint8Array).every(byte => byte === 0)));
      await worker.run(({ buffer }) => buffer.free());
    }
  });

  it('that its user brought is adopted with the reference that its token carries', async () => {
    const memory = new SharedArrayBuffer(16_384);
    const view = new Uint8Array(memory, 4096, 8192);
    using buffer = looseBuffer(8192, view);
    const token = buffer.share();
    assert.equal(token.memory, memory);
    await using worker = await Adopter.start({ buffer: token });
    await worker.run(({ buffer }) => buffer.u8.fill(9));
    assert.deepEqual([view[0], view[8191], new Uint8Array(memory)[4095]], [9, 9, 0]);
    const { vfio, key } = token;
    for (const other of [undefined, new SharedArrayBuffer(16_384), new SharedArrayBuffer(1)]) {
      await assert.rejects(worker.adopt({ buffer: { vfio, key, ...(other && { memory: other }) } }), {
        code: 'ERR_VFIO_NOT_SHARED',
      });
    }
  });

  it('ends with the thread that shared it', async () => {
    const owner = await Adopter.start({});
    const token = await owner.run(({ native, vfio, kept }) => {
      const memory = native.memoryAlloc(4096, 0, 0, -1, false) as never;
      const whole = { buffer: native.memoryBuffer(memory), byteOffset: 0, byteLength: 4096 };
      const access = { deviceReads: true, deviceWrites: true };
      const given = { memoryOf: () => memory, release: () => undefined };
      const Class = vfio.DmaBuffer as unknown as new (...parts: unknown[]) => DmaBuffer;
      const buffer = new Class(given, 0x1000n, whole, access);
      kept['buffer'] = buffer;
      buffer.u8.fill(5);
      return buffer.share();
    });
    const here = adopt(token);
    const kept = here.u8;
    assert.equal(kept[4095], 5);
    await owner.worker.terminate();
    assert.throws(() => here.u8, closed);
    assert.ok(kept.every(byte => byte === 0));
    assert.throws(() => adopt(token), { code: 'ERR_VFIO_NOT_SHARED' });
    here.free();
  });
});
