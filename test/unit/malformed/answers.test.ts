import assert from 'node:assert/strict';
import { VfioError } from '../../../lib/errors/vfio-error.js';
import type { Device } from '../../../lib/device.js';
import { enumerate } from '../../../lib/enumerate.js';
import { checkedRanges, decodeIommuInfo } from '../../../lib/iommu-info.js';
import { type ContainerHandle, type DeviceHandle, native, type RawCapability } from '../../../lib/native.js';
import type { IommufdHandle } from '../../../lib/native-iommufd.js';
import { decodeRegionInfo, mappableAreas } from '../../../lib/region-info.js';
import { decodeDeviceInfo } from '../../../lib/device-info.js';
import { Random } from '../../support/random.js';
import { struct } from '../../support/struct.js';

/** Answers that no sound kernel gives, through the seam: ioctls on files that are no devices. */
describe('malformed answers', () => {
  const addon = native();
  let device: DeviceHandle;
  let container: ContainerHandle;
  let iommufd: IommufdHandle;
  before(() => {
    device = addon.deviceOpenCdev('/dev/null', false) as DeviceHandle;
    container = addon.containerOpen('/dev/null');
    iommufd = addon.iommufdOpen('/dev/null');
  });
  after(() => {
    addon.deviceClose(device, false);
    addon.containerClose(container);
    addon.iommufdClose(iommufd);
  });

  const answered = [
    'VFIO_DEVICE_GET_INFO',
    'VFIO_DEVICE_GET_REGION_INFO',
    'VFIO_DEVICE_GET_IRQ_INFO',
    'VFIO_IOMMU_GET_INFO',
    'VFIO_DEVICE_GET_PCI_HOT_RESET_INFO',
    'IOMMU_IOAS_IOVA_RANGES',
    'IOMMU_GET_HW_INFO',
  ] as const;
  afterEach(() => {
    for (const name of answered) addon.answerNext(name, 0, 0, new Uint8Array(0), 0);
  });

  /** Every call of that name gives this answer, of which the caller sees what it has room for. */
  const answer = (name: (typeof answered)[number], bytes: Uint8Array, result = 0): void =>
    addon.answerNext(name, result, 0, bytes, 1000);
  const header = (id: number, next: number, ...rest: (number | bigint)[]): Uint8Array =>
    struct(id | (1 << 16), next, ...rest);
  const join = (...parts: Uint8Array[]): Uint8Array => Uint8Array.from(parts.flatMap(part => [...part]));
  const ids = (chain: readonly RawCapability[]): string[] =>
    chain.map(({ id, data }) => `${id}:${data.length}`);

  /** A `vfio_device_info` of 24 bytes, `size` with all that follows. */
  const deviceInfo = (capOffset: number, ...rest: Uint8Array[]): Uint8Array => {
    const size = 24 + rest.reduce((sum, part) => sum + part.length, 0);
    return join(struct(size, 2 | (1 << 7), 9, 5, capOffset, 0), ...rest);
  };
  const chain = (...answerBytes: Parameters<typeof deviceInfo>): string[] => {
    answer('VFIO_DEVICE_GET_INFO', deviceInfo(...answerBytes));
    return ids(addon.deviceGetInfo(device).capabilities);
  };

  it('a sound chain is read to its end', () => {
    assert.deepEqual(chain(24, header(1, 40, 7, 8), header(2, 0, 9)), ['1:8', '2:4']);
  });

  it('chains that loop, lead back or outside end', () => {
    assert.deepEqual(chain(24, header(1, 24, 7)), ['1:4']);
    assert.deepEqual(chain(24, header(1, 36, 7), header(2, 24, 8)), ['1:4', '2:4']);
    assert.deepEqual(chain(24, header(1, 0xffff_ffff, 7)), ['1:4']);
    // Into its own header, whose `next` is then read as an id.
    assert.deepEqual(chain(24, header(1, 28, 7, 0)), ['1:0', '28:4']);
  });

  it('chains that start outside have nothing', () => {
    for (const start of [4, 7, 25, 36, 2 ** 31, 2 ** 32 - 1]) {
      const found = chain(start, header(1, 0, 7));
      assert(found.length <= 1, `from ${start}: ${found.join()}`);
    }
    assert.deepEqual(chain(2 ** 32 - 8, header(1, 0, 7)), []);
  });

  it('truncated chains end with what is there', () => {
    const whole = deviceInfo(24, header(1, 40, 7, 8), header(2, 0, 9, 10));
    for (let length = 24; length <= whole.length; length++) {
      const bytes = whole.slice(0, length);
      new DataView(bytes.buffer).setUint32(0, length, true);
      answer('VFIO_DEVICE_GET_INFO', bytes);
      const found = ids(addon.deviceGetInfo(device).capabilities);
      const expected = length < 32 ? [] : length < 48 ? [`1:${length - 32}`] : ['1:8', `2:${length - 48}`];
      assert.deepEqual(found, expected, `${length} bytes`);
    }
  });

  it('an argsz of anything is survived', () => {
    for (const size of [0, 1, 3, 4, 23, 25, 65_536, 65_537, 2 ** 31, 2 ** 32 - 1]) {
      const bytes = deviceInfo(24, header(1, 40, 7, 8), header(2, 0, 9));
      new DataView(bytes.buffer).setUint32(0, size, true);
      answer('VFIO_DEVICE_GET_INFO', bytes);
      assert.equal(addon.deviceGetInfo(device).regionCount, 9, `argsz ${size}`);
    }
  });

  it('an argsz that grows with each answer ends at a limit', () => {
    let asked = 0;
    for (let size = 24; size < 2 ** 20; size *= 2) {
      addon.answerNext('VFIO_DEVICE_GET_INFO', 0, 0, struct(size + 1, 2, 9, 5, 0, 0), 1);
      try {
        addon.deviceGetInfo(device);
      } catch (error) {
        // The one after it is the kernel's own, which has no device there.
        assert.equal((error as NodeJS.ErrnoException).code, 'ENOTTY');
        asked++;
      }
    }
    assert(asked > 0);
  });

  it('counts of billions are refused, not counted', () => {
    const target = { address: '0000:03:00.0' } as unknown as Device;
    for (const [regions, irqs] of [
      [2 ** 32 - 1, 5],
      [9, 2 ** 32 - 1],
      [4097, 0],
    ] as const) {
      answer('VFIO_DEVICE_GET_INFO', struct(24, 2, regions, irqs, 0, 0));
      assert.throws(() => enumerate(target, device), { name: 'VfioError', code: 'EPROTO' });
    }
  });

  it('regions that no file can have are refused', () => {
    const raw = { flags: 7, size: 0x1000, fileOffset: 0, capabilities: [] };
    const sparse = (...areas: bigint[]) => ({
      ...raw,
      capabilities: [{ id: 1, version: 1, data: struct(areas.length / 2, 0, ...areas) }],
    });
    for (const bad of [
      { ...raw, size: 2 ** 64 },
      { ...raw, fileOffset: 2 ** 63 },
      { ...raw, size: 2 ** 53 - 1, fileOffset: 2 ** 40 },
      sparse(0n, 0x2000n),
      sparse(0x1000n, 1n),
      sparse(0n, 0x800n, 0x400n, 0x400n),
      sparse(0n, 2n ** 64n - 1n),
      sparse(2n ** 64n - 0x1000n, 0x1000n),
    ]) {
      assert.throws(() => decodeRegionInfo(0, bad), { name: 'VfioError', code: 'EPROTO' });
    }
    assert.deepEqual(mappableAreas(decodeRegionInfo(0, sparse(0x10n, 0x10n)), undefined, 4096), []);
    const table = { offset: 2 ** 31, size: 16 };
    assert.deepEqual(mappableAreas(decodeRegionInfo(0, raw), table, 4096), [{ offset: 0, size: 0x1000 }]);
  });

  it('address ranges that overlap or run backwards are refused', () => {
    const ranges = (...list: bigint[]) => ({ id: 1, version: 1, data: struct(list.length / 2, 0, ...list) });
    for (const bad of [ranges(5n, 4n), ranges(0n, 9n, 9n, 20n), ranges(0n, 2n ** 64n - 1n, 0n, 0n)]) {
      assert.throws(() => decodeIommuInfo({ flags: 3, pageSizes: 4096n, capabilities: [bad] }), {
        code: 'EPROTO',
      });
    }
    assert.deepEqual(
      checkedRanges('x', [
        { start: 8n, last: 9n },
        { start: 0n, last: 7n },
      ]).map(one => one.start),
      [0n, 8n],
    );
    const cut = decodeIommuInfo({
      flags: 3,
      pageSizes: 0n,
      capabilities: [{ id: 1, version: 1, data: new Uint8Array(3) }],
    });
    assert.deepEqual([cut.iovaRanges, cut.pageSizes], [[], []]);
  });

  it('more devices or ranges than there is room for are refused', () => {
    answer('VFIO_DEVICE_GET_PCI_HOT_RESET_INFO', struct(12, 0, 2 ** 32 - 1));
    assert.throws(() => addon.hotResetInfo(device), { code: 'EPROTO' });
    answer('VFIO_DEVICE_GET_PCI_HOT_RESET_INFO', struct(12, 0, 2 ** 32 - 1), -28);
    assert.throws(() => addon.hotResetInfo(device), { code: 'EPROTO' });
    answer('IOMMU_IOAS_IOVA_RANGES', struct(40, 1, 2 ** 32 - 1, 0, 0n, 4096n));
    assert.throws(() => addon.ioasIovaRanges(iommufd, 1), { code: 'EPROTO' });
    answer('IOMMU_IOAS_IOVA_RANGES', struct(40, 1, 2 ** 32 - 1, 0, 0n, 4096n), -90);
    assert.throws(() => addon.ioasIovaRanges(iommufd, 1), { code: 'EMSGSIZE' });
  });

  it('the kernel is asked first where only a part is replaced', () => {
    addon.answerNext('VFIO_DEVICE_GET_INFO', null, 4, struct(2), 1);
    assert.throws(() => addon.deviceGetInfo(device), { code: 'ENOTTY', path: '/dev/null' });
  });

  it('any bytes at all are decoded or refused', () => {
    const random = new Random(4);
    const ask = {
      VFIO_DEVICE_GET_INFO: () => decodeDeviceInfo(addon.deviceGetInfo(device)),
      VFIO_DEVICE_GET_REGION_INFO: () => decodeRegionInfo(1, addon.deviceGetRegionInfo(device, 1)),
      VFIO_DEVICE_GET_IRQ_INFO: () => addon.deviceGetIrqInfo(device, 1),
      VFIO_IOMMU_GET_INFO: () => decodeIommuInfo(addon.containerGetIommuInfo(container)),
      VFIO_DEVICE_GET_PCI_HOT_RESET_INFO: () => addon.hotResetInfo(device),
      IOMMU_IOAS_IOVA_RANGES: () => checkedRanges('x', addon.ioasIovaRanges(iommufd, 1).ranges),
    };
    for (const [name, call] of Object.entries(ask)) {
      for (let round = 0; round < 300; round++) {
        const bytes = random.bytes(4 * random.below(60));
        const words = new DataView(bytes.buffer);
        // Mostly small numbers: large ones are refused before anything happens.
        for (let at = 0; at + 4 <= bytes.length; at += 4)
          if (random.chance(0.7)) words.setUint32(at, random.below(random.pick([2, 8, 64, 300])), true);
        if (bytes.length >= 4 && random.chance(0.6)) words.setUint32(0, bytes.length, true);
        addon.answerNext(name, 0, 0, bytes, 1000);
        try {
          call();
        } catch (error) {
          const known = error instanceof VfioError || (error instanceof Error && 'code' in error);
          assert(known, `${name}, round ${round}: ${String(error)}`);
        }
      }
    }
  });
});
