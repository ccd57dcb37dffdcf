import assert from 'node:assert/strict';
import type { Dma } from 'vfio';
import { devices } from '../../../lab/devices';
import { opened } from '../support/bound';
import { ADDRESS_BITS, EduCard, fillPattern } from '../support/edu';
import { held } from '../support/held';
import { addressOf, wasmMemory, wholePages } from '../support/shared-memory';
import { labSuite } from '../support/suite';
import { iovaRangesOf } from '../support/ways';

labSuite('dma.map: memory the user brought', () => {
  const edu = opened(devices.edu);
  let dma: Dma;
  let card: EduCard;
  before(() => {
    ({ dma } = edu.device);
    card = new EduCard(edu.device);
    edu.device.enableBusMaster();
  });
  afterEach(() => dma.freeAll());

  it('a shared WebAssembly.Memory, seen by the device in both directions', async () => {
    const memory = wasmMemory(2);
    const bytes = new Uint8Array(memory);
    const mapped = dma.map(memory, { addressBits: ADDRESS_BITS });
    assert.deepEqual([mapped.byteLength, mapped.buffer, mapped.byteOffset], [0x2_0000, memory, 0]);
    fillPattern(bytes.subarray(0, 1024), 11);
    await card.readFrom(mapped.iova, 1024);
    await card.writeTo(mapped.iovaAt(0x1_0000), 1024);
    assert.deepEqual(bytes.slice(0x1_0000, 0x1_0400), bytes.slice(0, 1024));
    assert.equal(mapped.u8[5], bytes[5]);
    mapped.free();
    assert.equal(bytes[0x1_0001], bytes[1], 'it is still the user’s memory');
  });

  it('a page-aligned view of a SharedArrayBuffer, and no byte beside it', async () => {
    const { buffer, byteOffset } = wholePages(3);
    const words = new Uint32Array(buffer, byteOffset, 2048);
    const mapped = await dma.mapAsync(words, { addressBits: ADDRESS_BITS });
    assert.deepEqual([mapped.byteOffset, mapped.byteLength, mapped.u32.length], [byteOffset, 8192, 2048]);
    mapped.u8.fill(0x3c);
    await card.readFrom(mapped.iova, 256);
    await card.writeTo(mapped.iovaAt(4096), 256);
    assert.ok(new Uint8Array(buffer, byteOffset, 8192).every(byte => byte === 0x3c));
    assert.ok(new Uint8Array(buffer, byteOffset + 8192, 4096).every(byte => byte === 0));
  });

  it('twice, at two addresses, is the same memory', async () => {
    const memory = wasmMemory();
    const [a, b] = [dma.map(memory, { addressBits: 28 }), dma.map(memory, { iova: 0x800_0000n })];
    assert.notEqual(a.iova, b.iova);
    a.u8.fill(7, 0, 64);
    await card.readFrom(a.iova, 64);
    await card.writeTo(b.iovaAt(512), 64);
    assert.equal(a.u8[512], 7);
    a.free();
    assert.equal(b.freed, false);
    await card.writeTo(b.iovaAt(1024), 64);
    assert.equal(b.u8[1024], 7);
  });

  it("with iova 'va' the device's addresses are the process's own, where the IOMMU is that wide", () => {
    const memory = wasmMemory();
    const address = addressOf(new Uint8Array(memory));
    const iovaRanges = iovaRangesOf(edu.device);
    if (iovaRanges.some(({ start, last }) => address >= start && address + 0xffffn <= last)) {
      assert.equal(dma.map(memory, { iova: 'va' }).iova, address);
    } else {
      assert.throws(() => dma.map(memory, { iova: 'va' }), {
        code: 'EINVAL',
        message: new RegExp(`does not accept IOVA 0x${address.toString(16)}.*beyond its width`),
      });
    }
  });

  it('is refused when it could go away, or is no memory', () => {
    const before = held();
    const refused = [
      new ArrayBuffer(4096),
      new Uint8Array(4096),
      Buffer.alloc(4096),
      'memory',
      4096,
      null,
      undefined,
      {},
    ];
    for (const memory of refused) {
      assert.throws(() => dma.map(memory as SharedArrayBuffer), {
        name: 'TypeError',
        code: 'ERR_INVALID_ARG_TYPE',
        message: /^memory must be a SharedArrayBuffer or a view of one/,
      });
    }
    assert.deepEqual(held(), before);
  });

  it('is refused when it is not whole pages, and the error says the address', () => {
    const before = held();
    const { buffer, byteOffset: start } = wholePages(3);
    const whole = {
      code: 'ERR_OUT_OF_RANGE',
      message: /memory must start on a page and be whole pages long.*at 0x/,
    };
    for (const [offset, length] of [
      [start + 8, 4096],
      [start, 4095],
      [start, 100],
      [start, 0],
    ] as const) {
      assert.throws(() => dma.map(new Uint8Array(buffer, offset, length)), whole, `${length} at ${offset}`);
    }
    assert.throws(() => dma.map(new SharedArrayBuffer(0)), whole);
    assert.deepEqual(held(), before);
  });

  it('keeps the memory alive for the device, whoever forgets it', async () => {
    const mapped = (() => dma.map(wasmMemory(), { addressBits: ADDRESS_BITS }))();
    const { iova } = mapped;
    globalThis.gc?.();
    await new Promise(resolve => setImmediate(resolve));
    mapped.u8.fill(0x11, 0, 128);
    await card.readFrom(iova, 128);
    await card.writeTo(iova + 4096n, 128);
    assert.equal(mapped.u8[4096 + 127], 0x11);
  });
});
