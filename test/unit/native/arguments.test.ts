import assert from 'node:assert/strict';
import { native, type NativeAddon } from '../../../lib/native';

/** What each function takes; a handle's name is its kind. */
const signatures: Record<Exclude<keyof NativeAddon, 'pageSize' | 'liveObjects'>, string[]> = {
  containerOpen: ['string'],
  containerGetApiVersion: ['container'],
  containerCheckExtension: ['container', 'u32'],
  containerSetIommu: ['container', 'u32'],
  containerGetIommuInfo: ['container'],
  containerClose: ['container'],
  dmaMap: ['container', 'memory', 'size', 'size', 'bigint', 'u32', 'boolean'],
  dmaUnmap: ['dmaMap', 'boolean'],
  dmaUnmapAll: ['container', 'boolean'],
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
  deviceQuiesce: ['device'],
  deviceClose: ['device', 'boolean'],
  regionRead: ['device', 'size', 'u32'],
  regionRead64: ['device', 'size'],
  regionWrite: ['device', 'size', 'u32', 'u32'],
  regionWrite64: ['device', 'size', 'bigint'],
  regionReadInto: ['device', 'size', 'bytes'],
  regionWriteFrom: ['device', 'size', 'bytes'],
  barMap: ['device', 'size', 'size', 'array', 'boolean'],
  barAccessors: ['bar'],
  barBuffer: ['bar'],
  barUnmap: ['bar'],
  irqSetEventFds: ['device', 'u32', 'u32', 'array'],
  irqDisable: ['device', 'u32'],
  irqAction: ['device', 'u32', 'string', 'u32', 'u32'],
  irqActionEach: ['device', 'u32', 'string', 'u32', 'bytes'],
  irqSetUnmaskEventFd: ['device', 'u32', 'eventfd'],
  ioEventFd: ['device', 'size', 'u32', 'bigint', 'eventfd'],
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
  memoryAlloc: ['size', 'size', 'size', 'i32', 'boolean'],
  memoryFromView: ['bytes'],
  memoryAddress: ['memory'],
  memoryBuffer: ['memory'],
  memoryFree: ['memory'],
  restoreCreate: ['array'],
  restoreRun: ['restore', 'boolean'],
  failNext: ['string', 'u32', 'u32'],
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
    string: () => '/nonexistent',
    boolean: () => false,
    size: () => 1,
    u32: () => 1,
    i32: () => 0,
    bigint: () => 0n,
    bytes: () => new Uint8Array(8),
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
        // A device, a BAR and a DMA mapping need hardware to exist; in front of one, its own check answers first.
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
});
