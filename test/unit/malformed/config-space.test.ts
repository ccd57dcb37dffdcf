import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import type { Device } from '../../../lib/device.js';
import { type DeviceHandle, native } from '../../../lib/native.js';
import { PciConfig } from '../../../lib/pci-config.js';
import { decodeRegionInfo } from '../../../lib/region-info.js';
import { Random } from '../../support/random.js';

/** Config spaces that no sound device has, in a file that is read as a device's is. */
describe('broken config spaces', () => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'vfio-config-'));
  const file = path.join(directory, 'config');
  const handles: DeviceHandle[] = [];
  after(() => {
    for (const handle of handles) native().deviceClose(handle, false);
    fs.rmSync(directory, { recursive: true });
  });

  function config(bytes: Uint8Array): PciConfig {
    fs.writeFileSync(file, bytes);
    if (handles.length === 0) handles.push(native().deviceOpenCdev(file, false) as DeviceHandle);
    const info = decodeRegionInfo(7, { flags: 3, size: bytes.length, fileOffset: 0, capabilities: [] });
    return new PciConfig({ handle: handles[0], address: '0000:03:00.0' } as unknown as Device, info);
  }

  /** 4 KiB with a capability list that starts at `first`. */
  function space(
    first: number,
    standard: Record<number, number[]>,
    extended: Record<number, number> = {},
  ): PciConfig {
    const view = new DataView(new ArrayBuffer(4096));
    view.setUint16(0x06, 1 << 4, true);
    view.setUint8(0x34, first);
    for (const [at, bytes] of Object.entries(standard))
      bytes.forEach((byte, i) => view.setUint8(Number(at) + i, byte));
    for (const [at, word] of Object.entries(extended)) view.setUint32(Number(at), word >>> 0, true);
    return config(new Uint8Array(view.buffer));
  }
  const found = (space: PciConfig): string[] =>
    space.capabilities().map(({ id, offset }) => `${id.toString(16)}@${offset.toString(16)}`);

  it('a sound one is walked to its end', () => {
    const sound = space(
      0x40,
      { 0x40: [0x01, 0x50], 0x50: [0x11, 0x00] },
      { 0x100: 0x1401_0001, 0x140: 0x0002_0010 },
    );
    assert.deepEqual(found(sound), ['1@40', '11@50', '1@100', '10@140']);
  });

  it('a list that leads back into itself ends', () => {
    assert.deepEqual(found(space(0x40, { 0x40: [0x05, 0x50], 0x50: [0x10, 0x40] })), ['5@40', '10@50']);
    assert.deepEqual(found(space(0x40, { 0x40: [0x05, 0x40] })), ['5@40']);
    assert.deepEqual(found(space(0, {}, { 0x100: 0x1001_0001 })), ['1@100']);
    assert.deepEqual(found(space(0, {}, { 0x100: 0x2001_0001, 0x200: 0x1001_0003 })), ['1@100', '3@200']);
  });

  it('a pointer into the header, or off a dword, ends the list or is rounded', () => {
    assert.deepEqual(found(space(0x04, {})), []);
    assert.deepEqual(found(space(0x3f, {})), []);
    assert.deepEqual(found(space(0x43, { 0x40: [0x05, 0x53], 0x50: [0x10, 0x10] })), ['5@40', '10@50']);
    assert.deepEqual(found(space(0, {}, { 0x100: 0x0401_0001 })), ['1@100']);
    assert.deepEqual(found(space(0, {}, { 0x100: 0xffc1_0001, 0xffc: 0x1031_0002 })), ['1@100', '2@ffc']);
  });

  it('ids of zero are shown where the list has them, and of all-ones end it', () => {
    assert.deepEqual(found(space(0x40, { 0x40: [0x00, 0x50], 0x50: [0x05, 0x00] })), ['0@40', '5@50']);
    assert.deepEqual(found(space(0x40, { 0x40: [0xff, 0x50], 0x50: [0x05, 0x00] })), []);
    assert.deepEqual(found(space(0, {}, { 0x100: 0x2000_0000, 0x200: 0x0001_0003 })), ['3@200']);
  });

  it('a device that answers all-ones, or all zeroes, has none', () => {
    assert.deepEqual(found(config(new Uint8Array(4096).fill(0xff))), []);
    assert.deepEqual(found(config(new Uint8Array(4096))), []);
    assert.equal(config(new Uint8Array(4096).fill(0xff)).msixTable(), undefined);
  });

  it('an MSI-X capability that ends outside is none', () => {
    for (const at of [0xf8, 0xfc]) {
      const cut = space(at, { [at]: [0x11, 0x00, 0xff, 0x07] });
      assert.equal(cut.msixTable(), undefined);
      assert.deepEqual(found(cut), [`11@${at.toString(16)}`]);
    }
    const last = space(0xf4, { 0xf4: [0x11, 0x00, 0xff, 0x07, 0xff, 0xff, 0xff, 0xff] });
    assert.deepEqual(last.msixTable(), { bar: 7, offset: 0xffff_fff8, size: 2048 * 16 });
  });

  it('a space that ends early is refused by name', () => {
    for (const length of [0, 1, 0x05, 0x34, 0x40]) {
      const short = config(new Uint8Array(length).fill(0xf0));
      try {
        short.capabilities();
      } catch (error) {
        assert.equal((error as NodeJS.ErrnoException).code, 'ERR_OUT_OF_RANGE');
      }
    }
  });

  it('any bytes at all are walked to an end', () => {
    const random = new Random(4);
    for (let round = 0; round < 500; round++) {
      const bytes = random.bytes(round % 2 === 0 ? 256 : 4096);
      bytes[0x06] = 1 << 4;
      // Mostly pointers that lead somewhere.
      if (random.chance(0.8)) for (let at = 1; at < 256; at += 4) bytes[at] = (bytes[at] ?? 0) | 0x40;
      const walked = config(bytes);
      const all = walked.capabilities();
      assert(all.length <= 48 + 960, `round ${round}: ${all.length} capabilities`);
      assert.equal(new Set(all.map(({ offset }) => offset)).size, all.length, `round ${round}`);
      walked.msixTable();
      walked.find('MSI-X');
      walked.findExtended('SR-IOV');
    }
  });
});
