import assert from 'node:assert/strict';
import fs from 'node:fs';
import { native, type NativeAddon } from '../../../lib/native';
import { now } from './support';

/** What each function takes; a handle's name is its kind. */
const signatures: Record<Exclude<keyof NativeAddon, 'pageSize' | 'liveObjects'>, string[]> = {
  containerOpen: ['string'],
  containerFromIommufd: ['iommufd'],
  containerGetApiVersion: ['container'],
  containerCheckExtension: ['container', 'u32'],
  containerSetIommu: ['container', 'u32'],
  containerGetIommuInfo: ['container'],
  containerClose: ['container'],
  dmaMap: ['container', 'memory', 'size', 'size', 'bigint', 'u32', 'boolean'],
  dmaUnmap: ['dmaMap', 'boolean'],
  dmaUnmapAll: ['container', 'boolean'],
  dmaMapIova: ['dmaMap'],
  dirtyTracking: ['container', 'boolean'],
  dirtyBitmap: ['container', 'bigint', 'bigint', 'bigint', 'words'],
  dmaUnmapDirty: ['dmaMap', 'bigint', 'words'],
  dmaForgetAddress: ['dmaMap'],
  dmaNewAddress: ['dmaMap', 'memory'],
  groupOpen: ['string'],
  groupGetStatus: ['group'],
  groupSetContainer: ['group', 'container'],
  groupUnsetContainer: ['group'],
  groupGetDeviceFd: ['group', 'string', 'boolean'],
  groupClose: ['group'],
  deviceGetInfo: ['device'],
  deviceGetRegionInfo: ['device', 'u32'],
  deviceGetIrqInfo: ['device', 'u32'],
  deviceReset: ['device', 'boolean'],
  deviceDead: ['device'],
  deviceRevive: ['device'],
  deviceQuiesce: ['device'],
  deviceClose: ['device', 'boolean'],
  deviceOpenCdev: ['string', 'boolean'],
  deviceBindIommufd: ['device', 'iommufd', 'bytes or null', 'boolean'],
  deviceAttach: ['device', 'u32', 'u32 or null'],
  deviceDetach: ['device', 'u32 or null'],
  deviceFeature: ['device', 'u32', 'bytes', 'boolean'],
  hotResetInfo: ['device'],
  hotReset: ['device', 'array', 'boolean'],
  queryGfxPlane: ['device', 'u32', 'u32'],
  getGfxDmaBuf: ['device', 'u32'],
  regionRead: ['device', 'size', 'u32'],
  regionRead64: ['device', 'size'],
  regionWrite: ['device', 'size', 'u32', 'u32'],
  regionWrite64: ['device', 'size', 'bigint'],
  regionReadInto: ['device', 'size', 'bytes'],
  regionWriteFrom: ['device', 'size', 'bytes'],
  barMap: ['device', 'size', 'size', 'array', 'boolean', 'eventfd'],
  barDead: ['bar'],
  barAccessors: ['bar'],
  barBuffer: ['bar'],
  barUnmap: ['bar'],
  irqSetEventFds: ['device', 'u32', 'u32', 'array'],
  irqDisable: ['device', 'u32'],
  irqAction: ['device', 'u32', 'string', 'u32', 'u32'],
  irqActionEach: ['device', 'u32', 'string', 'u32', 'bytes'],
  irqSetUnmaskEventFd: ['device', 'u32', 'eventfd or null'],
  ioEventFd: ['device', 'size', 'u32', 'bigint', 'eventfd or null'],
  eventFdCreate: [],
  eventFdSignal: ['eventfd', 'size'],
  eventFdTake: ['eventfd'],
  eventFdWait: ['eventfd', 'i32'],
  eventFdNumber: ['eventfd'],
  eventFdClose: ['eventfd'],
  loopStart: ['function'],
  loopAdd: ['eventfd', 'u32', 'boolean'],
  loopRemove: ['eventfd'],
  loopRef: ['boolean'],
  loopAddFile: ['file', 'u32'],
  loopRemoveFile: ['file'],
  fileAdopt: ['i32'],
  fileRead: ['file', 'bytes', 'boolean'],
  fileWrite: ['file', 'bytes', 'boolean'],
  fileNumber: ['file'],
  fileClose: ['file'],
  migrationPrecopyInfo: ['file'],
  iommufdOpen: ['string'],
  iommufdClose: ['iommufd'],
  iommufdDestroy: ['iommufd', 'u32'],
  iommufdOption: ['iommufd', 'u32', 'u16', 'u32', 'bigint'],
  iommufdVfioIoas: ['iommufd', 'u16', 'u32'],
  iommufdChangeProcess: ['iommufd'],
  ioasAlloc: ['iommufd'],
  ioasIovaRanges: ['iommufd', 'u32'],
  ioasAllowIovas: ['iommufd', 'u32', 'array'],
  ioasMap: ['iommufd', 'u32', 'memory', 'size', 'size', 'bigint or null', 'u2', 'boolean'],
  ioasMapFile: ['iommufd', 'u32', 'i32', 'size', 'size', 'bigint or null', 'u2'],
  ioasCopy: ['iommufd', 'u32', 'u32', 'bigint', 'bigint or null', 'bigint', 'u2'],
  ioasUnmapAll: ['iommufd', 'u32', 'boolean'],
  ioasNoIommuGetPa: ['iommufd', 'u32', 'bigint', 'bigint'],
  hwptAlloc: ['iommufd', 'u32', 'u32', 'u32', 'u32', 'bytes or null', 'u32'],
  hwInfo: ['iommufd', 'u32', 'u32'],
  hwptSetDirtyTracking: ['iommufd', 'u32', 'boolean'],
  hwptGetDirtyBitmap: ['iommufd', 'u32', 'bigint', 'bigint', 'bigint', 'u32', 'words'],
  hwptInvalidate: ['iommufd', 'u32', 'u32', 'u32', 'bytes'],
  faultQueueAlloc: ['iommufd'],
  viommuAlloc: ['iommufd', 'u32', 'u32', 'u32', 'bytes or null'],
  vdeviceAlloc: ['iommufd', 'u32', 'u32', 'bigint'],
  veventqAlloc: ['iommufd', 'u32', 'u32', 'u32'],
  hwQueueAlloc: ['iommufd', 'u32', 'u32', 'u32', 'bigint', 'bigint'],
  memoryAlloc: ['size', 'size', 'size', 'i32', 'boolean'],
  memoryAllocAt: ['size', 'bigint', 'size', 'i32', 'boolean'],
  memoryFromView: ['bytes'],
  memoryAddress: ['memory'],
  memoryBuffer: ['memory'],
  memoryFree: ['memory'],
  shareBar: ['bar', 'string', 'string'],
  shareMemory: ['memory', 'string', 'string'],
  shareEventFd: ['eventfd', 'string', 'string'],
  adoptBar: ['string'],
  adoptMemory: ['string', 'bytes or null'],
  adoptEventFd: ['string', 'size'],
  shareOpen: ['string'],
  shareRevoke: ['string'],
  shareTake: ['string', 'size'],
  shareGiveBack: ['string'],
  shareBorrower: ['string'],
  restoreCreate: ['array'],
  restoreRun: ['restore', 'boolean'],
  closeAll: [],
  failNext: ['string', 'u32', 'u32'],
  answerNext: ['string', 'i32 or null', 'u32', 'bytes', 'u32'],
};

const samples: Record<string, unknown> = {
  nothing: undefined,
  null: null,
  true: true,
  '-1.5': -1.5,
  NaN,
  Infinity,
  '2 ** 60': 2 ** 60,
  '-1n': -1n,
  '2 ** 32': 2 ** 32,
  '2n ** 64n': 2n ** 64n,
  "'text'": 'text',
  "'a\\0b'": 'a\0b',
  symbol: Symbol('wrong'),
  '[]': [],
  '[1]': [1],
  '{}': {},
  function: () => 1,
  Uint16Array: new Uint16Array(1),
  DataView: new DataView(new ArrayBuffer(8)),
  Proxy: new Proxy({}, {}),
  'throwing valueOf': {
    valueOf() {
      throw new Error('valueOf was called');
    },
  },
};

/** The samples that an argument of that type would take. */
const fitting: Record<string, string[]> = {
  string: ["'text'"],
  boolean: ['true'],
  array: ['[]', '[1]'],
  function: ['function'],
  size: ['2 ** 32'],
  'eventfd or null': ['null'],
  'u32 or null': ['null'],
  'i32 or null': ['null'],
  'bigint or null': ['null'],
  'bytes or null': ['null'],
};

describe('native arguments', () => {
  const addon = native();
  const functions = addon as unknown as Record<string, unknown>;
  const valid: Record<string, () => unknown> = {
    container: () => addon.containerOpen('/dev/null'),
    group: () => addon.groupOpen('/dev/null'),
    eventfd: () => addon.eventFdCreate(),
    memory: () => addon.memoryFromView(new Uint8Array(16)),
    restore: () => addon.restoreCreate([]),
    // Any file opens as one: what it is shows with the first ioctl.
    device: () => addon.deviceOpenCdev('/dev/null', false),
    bar: () =>
      addon.barMap(now(addon.deviceOpenCdev('/dev/zero', false)), 0, 4096, [], true, addon.eventFdCreate()),
    iommufd: () => addon.iommufdOpen('/dev/null'),
    file: () => addon.fileAdopt(fs.openSync('/dev/null', 'r')),
    string: () => '/nonexistent',
    boolean: () => false,
    size: () => 1,
    u32: () => 1,
    u16: () => 1,
    u2: () => 1,
    i32: () => 0,
    bigint: () => 1n,
    bytes: () => new Uint8Array(8),
    words: () => new BigUint64Array(8),
    'eventfd or null': () => null,
    'u32 or null': () => null,
    'i32 or null': () => null,
    'bigint or null': () => null,
    'bytes or null': () => null,
    array: () => [],
    function: () => () => undefined,
  };

  it('covers every function', () => {
    const functions = Object.keys(addon).filter(key => typeof addon[key as keyof NativeAddon] === 'function');
    assert.deepEqual(functions.filter(name => name !== 'liveObjects').sort(), Object.keys(signatures).sort());
  });

  for (const [name, types] of Object.entries(signatures)) {
    types.forEach((type, position) => {
      it(`${name}: a wrong argument ${position + 1} (${type}) is a TypeError`, function () {
        // A DMA mapping needs hardware to exist; in front of one, its own check answers first.
        const before = types.slice(0, position).map(kind => valid[kind]?.());
        const rest = types.slice(position + 1).map(kind => valid[kind]?.());
        const call = functions[name] as (...args: unknown[]) => unknown;
        for (const [label, sample] of Object.entries(samples)) {
          if (fitting[type]?.includes(label) === true) continue;
          assert.throws(() => call(...before, sample, ...rest), TypeError, `with ${label}`);
        }
        assert.throws(() => call(...before), TypeError, 'without it');
      });
    });
  }

  it('restoreCreate takes pairs of strings only', () => {
    for (const writes of [[1], [['a']], [['a', 1]], [[1, 'a']], [null], [[]]]) {
      assert.throws(() => addon.restoreCreate(writes as never), TypeError);
    }
  });

  it('memoryAlloc takes powers of two only', () => {
    assert.throws(() => addon.memoryAlloc(4096, 3, 0, -1, false), /alignment must be a power of two/);
    assert.throws(() => addon.memoryAlloc(4096, 0, 12345, -1, false), /hugePageSize must be a power of two/);
    assert.throws(() => addon.memoryAlloc(4096, 0, 4096, -1, false), /hugePageSize must be 0 or larger/);
    assert.throws(() => addon.memoryAlloc(0, 0, 0, -1, false), TypeError);
  });

  it('dmaMap stays within the memory', () => {
    const container = addon.containerOpen('/dev/null');
    const memory = addon.memoryFromView(new Uint8Array(4096));
    for (const [offset, length] of [
      [0, 4097],
      [4096, 1],
      [1, 4096],
      [2 ** 52, 2 ** 52],
      [0, 0],
    ] as const) {
      assert.throws(
        () => addon.dmaMap(container, memory, offset, length, 0n, 3, false),
        /must lie within the 4096 bytes/,
      );
    }
    addon.containerClose(container);
    addon.memoryFree(memory);
  });

  it('a page table of an IOMMU is given access that exists', () => {
    const iommufd = addon.iommufdOpen('/dev/null');
    const memory = addon.memoryFromView(new Uint8Array(4096));
    assert.throws(
      () => addon.ioasMap(iommufd, 1, memory, 0, 4096, null, 4, false),
      /flags must be an integer from 0 to 3/,
    );
    assert.throws(
      () => addon.ioasMap(iommufd, 1, memory, 1, 4096, null, 3, false),
      /must lie within the 4096 bytes/,
    );
    addon.memoryFree(memory);
    addon.iommufdClose(iommufd);
  });

  it('ranges of IOVAs are pairs of bigints', () => {
    const iommufd = addon.iommufdOpen('/dev/null');
    for (const range of [1, null, {}, { start: 0n }, { start: 0, last: 1n }, { start: 0n, last: -1n }]) {
      assert.throws(() => addon.ioasAllowIovas(iommufd, 1, [range as never]), TypeError);
    }
    const throwing = {
      get start(): bigint {
        throw new RangeError('from the getter');
      },
      last: 1n,
    };
    assert.throws(() => addon.ioasAllowIovas(iommufd, 1, [throwing]), /from the getter/);
    addon.iommufdClose(iommufd);
  });

  it('a bitmap of dirty pages has room for every page', () => {
    const iommufd = addon.iommufdOpen('/dev/null');
    const container = addon.containerOpen('/dev/null');
    const get = (length: bigint, pageSize: bigint, words: number) => {
      const bitmap = new BigUint64Array(words);
      assert.throws(() => addon.dirtyBitmap(container, 0n, length, pageSize, bitmap), TypeError);
      addon.hwptGetDirtyBitmap(iommufd, 1, 0n, length, pageSize, 0, bitmap);
    };
    assert.throws(() => get(4096n * 64n + 1n, 4096n, 1), /bitmap must have at least 2 elements/);
    assert.throws(() => get(2n ** 64n - 1n, 1n, 1), /bitmap must have at least 288230376151711744 elements/);
    assert.throws(() => get(4096n, 4096n, 0), /bitmap must have at least 1 elements/);
    assert.throws(() => get(4096n, 3n, 1), /pageSize must be a power of two/);
    assert.throws(() => get(4096n, 0n, 1), /pageSize must be a power of two/);
    assert.throws(() => get(0n, 4096n, 1), /length must not be 0/);
    addon.containerClose(container);
    addon.iommufdClose(iommufd);
  });

  it('a token has 16 bytes', () => {
    const device = now(addon.deviceOpenCdev('/dev/null', false));
    const iommufd = addon.iommufdOpen('/dev/null');
    for (const length of [0, 15, 17]) {
      assert.throws(
        () => addon.deviceBindIommufd(device, iommufd, new Uint8Array(length), false),
        /token must have 16 bytes/,
      );
    }
    addon.deviceClose(device, false);
    addon.iommufdClose(iommufd);
  });

  it('invalidations are whole entries', () => {
    const iommufd = addon.iommufdOpen('/dev/null');
    for (const [entry, bytes] of [
      [0, 8],
      [16, 24],
    ] as const) {
      assert.throws(
        () => addon.hwptInvalidate(iommufd, 1, 0, entry, new Uint8Array(bytes)),
        /entries must have a multiple of/,
      );
    }
    addon.iommufdClose(iommufd);
  });
});
