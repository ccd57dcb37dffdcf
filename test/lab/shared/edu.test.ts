import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type DmaBuffer, Device, type IrqVector, type Mapping } from 'vfio';
import { devices } from '../../../lab/devices';
import { Adopter } from '../../support/adopter';
import { createWorker } from '../../support/processes';
import { bound } from '../support/bound';
import { Edu, EduCard, fillPattern } from '../support/edu';
import { held } from '../support/held';
import { labSuite } from '../support/suite';

const ID = 0x0100_00ed;
const dead = 0xffff_ffff;
const closed = { code: 'ERR_VFIO_CLOSED' };
const address = devices.edu;

/** A device with all that a worker may be given of it. */
interface Parts {
  device: Device;
  mapping: Mapping;
  buffer: DmaBuffer;
  vector: IrqVector;
}

async function open(): Promise<Parts> {
  const device = await Device.open(address);
  const mapping = device.bar(0).map();
  const buffer = device.dma.alloc(4096, { addressBits: 28 });
  const [vector] = device.msi.enable(1);
  device.enableBusMaster();
  return { device, mapping, buffer, vector };
}

const tokens = ({ mapping, buffer, vector }: Parts) => ({
  mapping: mapping.share(),
  buffer: buffer.share(),
  vector: vector.share(),
});

/** In a worker: has the device interrupt again from each interrupt; says so after ten. */
const flood = ({ mapping, vector }: { mapping: Mapping; vector: IrqVector }): Promise<unknown> =>
  new Promise(resolve => {
    let events = 0;
    vector.on('interrupt', () => {
      mapping.write32(0x64, 0xffff_ffff);
      mapping.write32(0x60, 1);
      if (++events === 10) resolve(mapping.read32(0));
    });
    mapping.write32(0x60, 1);
  });

labSuite('parts of a device in a worker', () => {
  bound(address);

  it('drive it there: registers, DMA into memory that both see, and its interrupt', async () => {
    const before = held();
    const parts = await open();
    {
      await using worker = await Adopter.start(tokens(parts));
      fillPattern(parts.buffer.u8.subarray(0, 1024), 3);
      // Into the device and back behind it; it interrupts at the end of each transfer.
      const counts = await worker.run(async ({ mapping, buffer, vector }) => {
        const counts = [];
        for (const [from, to, command] of [
          [buffer.iova, 0x40000n, 0x5],
          [0x40000n, buffer.iovaAt(2048), 0x7],
        ] as const) {
          mapping.write64(0x80, from);
          mapping.write64(0x88, to);
          mapping.write64(0x90, 1024n);
          mapping.write32(0x98, command);
          counts.push(await vector.wait({ timeoutMs: 120_000 }));
          mapping.write32(0x64, 0xffff_ffff);
        }
        if (buffer.u8[2048] !== buffer.u8[0]) throw new Error('the worker sees something else');
        return counts;
      });
      assert.deepEqual(counts, [1, 1]);
      const { u8 } = parts.buffer;
      assert.deepEqual(u8.subarray(2048, 3072), u8.subarray(0, 1024));
    }
    await parts.device.close();
    assert.deepEqual(held(), before);
  });

  it('end in all workers when the device closes, which opens again at once', async () => {
    const before = held();
    const parts = await open();
    const { mapping, buffer, vector } = tokens(parts);
    const polling = await Adopter.start({ mapping });
    const viewing = await Adopter.start({ mapping, buffer });
    const waiting = await Adopter.start({ vector });
    await viewing.run(({ mapping, buffer, kept }) => {
      kept['registers'] = new Uint32Array(mapping.buffer, 0, 16);
      kept['memory'] = buffer.u8.fill(0x5a);
      return undefined;
    });
    const ends = [
      polling.run(async ({ mapping }) => {
        const seen = new Set<number>();
        try {
          for (;;) {
            seen.add(mapping.read32(0));
            await new Promise(resolve => setImmediate(resolve));
          }
        } catch (error) {
          return [[...seen], (error as { code?: string }).code];
        }
      }),
      waiting.run(({ vector }) => {
        try {
          return vector.waitSync();
        } catch (error) {
          return (error as { code?: string }).code;
        }
      }),
    ];
    await parts.device.close();
    {
      // While the workers hold on to all that they adopted.
      await using again = await Device.open(address);
      assert.equal(again.bar(0).map().read32(Edu.ID), ID);
      const [[seen, code], waited] = (await Promise.all(ends)) as [[number[], string], string];
      assert.equal(waited, 'ERR_VFIO_CLOSED');
      assert.equal(code, 'ERR_VFIO_CLOSED');
      assert.ok(
        seen.every(value => value === ID || value === dead),
        seen.join(),
      );
      const kept = await viewing.run(({ kept }) => [
        (kept['registers'] as Uint32Array)[0],
        (kept['memory'] as Uint8Array).every(byte => byte === 0),
      ]);
      assert.deepEqual(kept, [dead, true]);
      await assert.rejects(
        viewing.run(({ mapping }) => mapping.write32(4, 1)),
        closed,
      );
      await assert.rejects(
        viewing.run(({ buffer }) => buffer.u32),
        closed,
      );
    }
    for (const worker of [polling, viewing, waiting]) await worker.worker.terminate();
    assert.deepEqual(held(), before);
  });

  it('end one by one: a mapping that is closed, a buffer that is freed while the device writes to it', async () => {
    const parts = await open();
    await using worker = await Adopter.start(tokens(parts));
    await worker.run(({ buffer, kept }) => {
      kept['memory'] = buffer.u8.fill(0x5a);
      return undefined;
    });
    const card = new EduCard(parts.device);
    // Too short for nothing, and on its way when its memory goes: the IOMMU refuses what comes late.
    const transfer = card.writeTo(parts.buffer.iova, 1024);
    parts.buffer.free();
    await transfer;
    assert.ok(await worker.run(({ kept }) => (kept['memory'] as Uint8Array).every(byte => byte === 0)));
    await assert.rejects(
      worker.run(({ buffer }) => buffer.u8),
      closed,
    );
    assert.equal(await worker.run(({ mapping }) => mapping.read32(0)), ID);
    parts.mapping.close();
    await assert.rejects(
      worker.run(({ mapping }) => mapping.read32(0)),
      { ...closed, message: `The mapping of BAR0 of ${address} is closed` },
    );
    parts.vector.trigger();
    assert.equal(await worker.run(({ vector }) => vector.wait()), 1, 'the vector is still there');
    await parts.device.close();
    await assert.rejects(
      worker.run(({ vector }) => vector.wait()),
      closed,
    );
  });

  it('end everywhere when the worker that opened the device is terminated under interrupts', async () => {
    const before = held();
    const owner = await Adopter.start({});
    const given = await owner.run(async ({ vfio, kept }, address) => {
      const device = await vfio.Device.open(address);
      kept['device'] = device;
      const mapping = device.bar(0).map();
      const [vector] = device.msi.enable(1);
      device.enableBusMaster();
      vector.on('interrupt', () => {
        mapping.write32(0x64, 0xffff_ffff);
        mapping.write32(0x60, 1);
      });
      mapping.write32(0x60, 1);
      const buffer = device.dma.alloc(4096);
      buffer.u8.fill(0x5a);
      return { mapping: mapping.share(), buffer: buffer.share() };
    }, address);
    await using other = await Adopter.start(given);
    const here = await Adopter.start(given);
    for (const worker of [other, here])
      assert.deepEqual(await worker.run(({ mapping, buffer }) => [mapping.read32(0), buffer.u8[4095]]), [
        ID,
        0x5a,
      ]);
    await owner.worker.terminate();
    {
      await using again = await Device.open(address);
      assert.equal(again.config.busMaster, false);
      for (const worker of [other, here]) {
        await assert.rejects(
          worker.run(({ mapping }) => mapping.read32(0)),
          closed,
        );
        await assert.rejects(
          worker.run(({ buffer }) => buffer.u8),
          closed,
        );
      }
    }
    await here.worker.terminate();
    await other.worker.terminate();
    assert.deepEqual(held(), before);
  });

  it('are the owner’s again when a worker is terminated while interrupts flow', async () => {
    const parts = await open();
    await using device = parts.device;
    const { mapping, vector } = parts;
    for (let round = 0; round < 3; round++) {
      const worker = await Adopter.start(tokens(parts));
      assert.equal(await worker.run(flood), ID);
      assert.equal(vector.adoptedBy, worker.threadId);
      assert.throws(() => vector.on('interrupt', () => undefined), { code: 'ERR_VFIO_BUSY' });
      await worker.worker.terminate();
      assert.equal(vector.adoptedBy, undefined);
      // The last one may have been taken and not been answered.
      mapping.write32(Edu.INTERRUPT_ACKNOWLEDGE, dead);
      vector.waitSync(0);
      mapping.write32(Edu.INTERRUPT_RAISE, 1);
      assert.equal(await vector.wait({ timeoutMs: 120_000 }), 1);
      mapping.write32(Edu.INTERRUPT_ACKNOWLEDGE, dead);
    }
    assert.equal(device.closed, false);
  });

  it('are dead in a worker too when the device does not answer, and back when it does', async () => {
    const parts = await open();
    await using worker = await Adopter.start({ mapping: parts.mapping.share() });
    const { config } = parts.device;
    const gone = once(parts.device, 'gone');
    config.memoryDecoding = false;
    assert.deepEqual(await worker.run(({ mapping }) => [mapping.read32(0), mapping.dead]), [dead, true]);
    await gone;
    config.memoryDecoding = true;
    assert.deepEqual(await worker.run(({ mapping }) => [mapping.read32(0), mapping.dead]), [ID, false]);
    await parts.device.close();
  });

  it('a whole device is handed over by opening it in the worker', async () => {
    const before = held();
    const device = await Device.open(address);
    assert.equal(device.bar(0).map().read32(Edu.ID), ID);
    await device.close();
    const { message, ended } = createWorker(async ({ vfio, require }, address) => {
      const { parentPort } = require('node:worker_threads') as typeof import('node:worker_threads');
      const device = await vfio.Device.open(address);
      const [vector] = device.msi.enable(1);
      device.enableBusMaster();
      device.bar(0).write32(0x60, 1);
      parentPort?.postMessage([await vector.wait(), device.bar(0).map().read32(0)]);
      await device.close();
    }, address);
    assert.deepEqual(await message(), [1, ID]);
    assert.equal(await ended, 0);
    assert.deepEqual(held(), before);
  });
});
