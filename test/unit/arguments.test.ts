import assert from 'node:assert/strict';
import * as vfio from '../../lib/index.js';
import { ArgumentTable, type Entry, isOptions } from '../support/argument-table.js';
import { FakeKernel } from '../support/fake-kernel.js';

const never = (): boolean => false;
const isUndefined = (value: unknown): boolean => value === undefined;
const isBoolean = (value: unknown): boolean => typeof value === 'boolean';
const isOptionalBoolean = (value: unknown): boolean => value === undefined || isBoolean(value);
const isString = (value: unknown): boolean => typeof value === 'string';
const between =
  (min: number, max: number) =>
  (value: unknown): boolean =>
    Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max;
const optional =
  (takes: (value: unknown) => boolean) =>
  (value: unknown): boolean =>
    value === undefined || takes(value);
const isAddress64 = (value: unknown): boolean =>
  typeof value === 'bigint' ? value >= 0n && value < 1n << 64n : between(0, Number.MAX_SAFE_INTEGER)(value);

describe('arguments', () => {
  let kernel: FakeKernel;
  let opened: ReturnType<FakeKernel['open']>;
  let bar: vfio.Region;
  let mapping: vfio.Mapping;
  let vector: vfio.IrqVector;
  let buffer: vfio.DmaBuffer;
  let eventfd: vfio.EventFd;
  // What is wrong on purpose cannot have the right type.
  const any = (value: unknown): never => value as never;

  before(() => {
    kernel = new FakeKernel();
    opened = kernel.open();
    bar = opened.device.bar(0);
    mapping = bar.map();
    [vector] = opened.device.msix.enable(1) as [vfio.IrqVector];
    buffer = opened.device.dma.alloc(4096);
    eventfd = new vfio.EventFd();
  });

  after(() => {
    eventfd.close();
    opened.container.close();
    opened.group.close();
    kernel[Symbol.dispose]();
  });

  const table = new ArgumentTable();
  const add = table.add.bind(table);
  const addOptions = table.addOptions.bind(table);

  add('parseAddress', 'address', never, v => vfio.parseAddress(any(v)));
  add('findDevice', 'address', never, v => vfio.findDevice(any(v)));
  add('doctor', 'address', isUndefined, v => vfio.doctor(any(v)));
  add('bindDevice', 'address', never, v => vfio.bindDevice(any(v)), true);
  add('bindDeviceSync', 'address', never, v => vfio.bindDeviceSync(any(v)));
  const isDriver = (v: unknown): boolean => v === undefined || (isString(v) && v !== '');
  addOptions('bindDevice', 'options', { driver: isDriver }, v => vfio.bindDevice('ff:1f.7', any(v)), true);
  addOptions('bindDeviceSync', 'options', { driver: isDriver }, v => vfio.bindDeviceSync('ff:1f.7', any(v)));

  add('Container.checkExtension', 'extension', between(0, 2 ** 31 - 1), v =>
    opened.container.checkExtension(any(v)),
  );
  add('Container.attach', 'group', never, v => opened.container.attach(any(v)));
  add('Container.detach', 'group', never, v => opened.container.detach(any(v)));
  add(
    'Container.setIommu',
    'type',
    v => v === undefined || v === 1 || v === 3,
    v => opened.container.setIommu(any(v)),
  );
  add('Group.open', 'which', between(0, 2 ** 31 - 1), v => vfio.Group.open(any(v)));
  add('Group.openDevice', 'address', never, v => opened.group.openDevice(any(v)), true);
  add('Group.openDeviceSync', 'address', never, v => opened.group.openDeviceSync(any(v)));

  const openOptions = { bind: isOptionalBoolean, container: isUndefined };
  add('Device.open', 'address', never, v => vfio.Device.open(any(v)), true);
  add('Device.openSync', 'address', never, v => vfio.Device.openSync(any(v)));
  addOptions('Device.open', 'options', openOptions, v => vfio.Device.open('ff:1f.7', any(v)), true);
  addOptions('Device.openSync', 'options', openOptions, v => vfio.Device.openSync('ff:1f.7', any(v)));
  add('Device.bar', 'index', between(0, 5), v => opened.device.bar(any(v)));
  add('Device.region', 'index', between(0, 8), v => opened.device.region(any(v)));
  add('Device.irq', 'index', between(0, 2 ** 31 - 1), v => opened.device.irq(any(v)));

  const width = { 8: 2 ** 8 - 1, 16: 2 ** 16 - 1, 32: 2 ** 32 - 1 } as const;
  for (const [of, target] of [
    ['Region', () => bar],
    ['Mapping', () => mapping],
  ] as const) {
    for (const bits of [8, 16, 32] as const) {
      const aligned = (v: unknown): boolean => between(0, 0x3fff)(v) && (v as number) % (bits / 8) === 0;
      const min = bits === 32 ? -(2 ** 31) : 0;
      add(`${of}.read${bits}`, 'offset', aligned, v => target()[`read${bits}`](any(v)));
      add(`${of}.write${bits}`, 'offset', aligned, v => target()[`write${bits}`](any(v), 0));
      add(`${of}.write${bits}`, 'value', between(min, width[bits]), v => target()[`write${bits}`](0, any(v)));
    }
    add(
      `${of}.read64`,
      'offset',
      v => v === 0,
      v => target().read64(any(v)),
    );
    add(
      `${of}.write64`,
      'offset',
      v => v === 0,
      v => target().write64(any(v), 0n),
    );
    const isU64 = (v: unknown): boolean => typeof v === 'bigint' && isAddress64(v);
    add(`${of}.write64`, 'value', isU64, v => target().write64(0, any(v)));
  }
  const isBytes = (v: unknown): boolean => v instanceof Uint8Array && ArrayBuffer.isView(v);
  add('Region.read', 'offset', between(0, 0x3ffc), v => bar.read(any(v), new Uint8Array(4)));
  add('Region.read', 'target', guarded(isBytes), v => bar.read(0, any(v)));
  add('Region.write', 'offset', between(0, 0x3ffc), v => bar.write(any(v), new Uint8Array(4)));
  add('Region.write', 'source', guarded(isBytes), v => bar.write(0, any(v)));
  const mapOptions = {
    offset: optional(v => v === 0),
    size: optional(between(1, 0x4000)),
    writable: isOptionalBoolean,
  };
  addOptions('Region.map', 'options', mapOptions, v => bar.map(any(v)).close());
  add('Region.ioeventfd', 'offset', between(0, 0x3fff), v => bar.ioeventfd(any(v), 8, 0).close());
  add('Region.ioeventfd', 'width', never, v => bar.ioeventfd(0, any(v), 0).close());
  const isByte = (v: unknown): boolean => isAddress64(v) && Number(v) < 256;
  add('Region.ioeventfd', 'value', isByte, v => bar.ioeventfd(0, 8, any(v)).close());

  add('PciConfig.busMaster', 'busMaster', isBoolean, v => {
    opened.device.config.busMaster = any(v);
  });
  add('PciConfig.memoryDecoding', 'memoryDecoding', isBoolean, v => {
    opened.device.config.memoryDecoding = any(v);
  });
  add('PciConfig.find', 'which', between(0, 0xffff), v => opened.device.config.find(any(v)));
  add('PciConfig.findExtended', 'which', between(0, 0xffff), v => opened.device.config.findExtended(any(v)));
  add('PciConfig.barRegister', 'index', between(0, 5), v => opened.device.config.barRegister(any(v)));

  const isTimeout = optional(between(0, 2 ** 31 - 1));
  const waitOptions = { timeoutMs: isTimeout, signal: isUndefined };
  addOptions('IrqVector.wait', 'options', waitOptions, v => vector.wait(any(v)), true);
  add('IrqVector.waitSync', 'timeoutMs', isTimeout, v => vector.waitSync(any(v)));
  addOptions('IrqVector.interrupts', 'options', { signal: isUndefined }, v =>
    vector.interrupts(any(v)).return?.(),
  );

  add('MessageInterrupts.enable', 'count', between(1, 4), v =>
    opened.device.msix.enable({ count: any(v), start: 1 }),
  );
  add('MessageInterrupts.enable', 'start', optional(between(0, 4)), v =>
    opened.device.msix.enable({ count: 1, start: any(v) }),
  );
  add('MessageInterrupts.enable', 'counts', isOptionalBoolean, v =>
    opened.device.msix.enable({ count: 1, start: 1, counts: any(v) }),
  );
  add('MessageInterrupts.enable', 'starts', never, v =>
    opened.device.msix.enable(any({ count: 1, starts: v })),
  );
  add('MessageInterrupts.vector', 'index', between(0, 2047), v => opened.device.msix.vector(any(v)));
  add('MessageInterrupts.trigger', 'indexes[0]', between(0, 4), v => opened.device.msix.trigger(any(v)));
  add('MessageInterrupts.trigger', 'indexes[1]', between(0, 4), v => opened.device.msix.trigger(0, any(v)));
  add('MessageInterrupts.disable', 'range', isOptions, v => opened.device.msix.disable(any(v)));
  add('MessageInterrupts.disable', 'start', optional(between(0, 4)), v =>
    opened.device.msix.disable({ count: 1, start: any(v) }),
  );
  add('MessageInterrupts.disable', 'count', between(1, 4), v =>
    opened.device.msix.disable({ count: any(v), start: 1 }),
  );
  const intxOptions = { counts: isOptionalBoolean, unmaskEventFd: isOptionalBoolean };
  addOptions('Intx.enable', 'options', intxOptions, v => opened.device.intx.enable(any(v)));
  add('EventFd.signal', 'count', optional(between(1, 2 ** 32 - 1)), v => eventfd.signal(any(v)));

  const access = {
    deviceReads: isOptionalBoolean,
    deviceWrites: isOptionalBoolean,
    addressBits: isUndefined,
  };
  const isPower = (v: unknown): boolean => v === undefined || v === 1 || v === 2 ** 32;
  const allocOptions = {
    ...access,
    align: isPower,
    hugepages: isOptionalBoolean,
    numa: optional(between(0, 1023)),
    iova: optional(isAddress64),
  };
  add('Dma.alloc', 'bytes', between(1, 2 ** 46), v => opened.device.dma.alloc(any(v)));
  add('Dma.allocAsync', 'bytes', between(1, 2 ** 46), v => opened.device.dma.allocAsync(any(v)), true);
  addOptions('Dma.alloc', 'options', allocOptions, v => opened.device.dma.alloc(4096, any(v)));
  addOptions(
    'Dma.allocAsync',
    'options',
    allocOptions,
    v => opened.device.dma.allocAsync(4096, any(v)),
    true,
  );
  const shared = new SharedArrayBuffer(4096);
  const mapDmaOptions = { ...access, iova: optional(isAddress64) };
  add('Dma.map', 'memory', never, v => opened.device.dma.map(any(v)));
  add('Dma.mapAsync', 'memory', never, v => opened.device.dma.mapAsync(any(v)), true);
  addOptions('Dma.map', 'options', mapDmaOptions, v => opened.device.dma.map(shared, any(v)));
  addOptions('Dma.mapAsync', 'options', mapDmaOptions, v => opened.device.dma.mapAsync(shared, any(v)), true);
  add('DmaBuffer.iovaAt', 'offset', between(0, 4096), v => buffer.iovaAt(any(v)));
  add('DmaBuffer.offsetOf', 'iova', never, v => buffer.offsetOf(any(v)));

  table.test();

  it('cover every public function that takes any', () => {
    assert.deepEqual(
      publicFunctions().filter(name => !table.has(name)),
      [],
    );
  });
});

/** `takes` that looks into values, of which some do not like that. */
function guarded(takes: Entry['takes']): Entry['takes'] {
  return value => {
    try {
      return takes(value) && (value as Uint8Array).length >= 0;
    } catch {
      return false;
    }
  };
}

/** What is called only by other parts of the library. */
const internal = new Set([
  'Container.assertOpen',
  'Device.adopt',
  'Device.checkInterruptKind',
  'Device.create',
  'Device.disown',
  'Device.own',
  'Dma.release',
  'Group.find',
  'Group.forget',
  'Group.join',
  'Group.openDeviceSteps',
  'Intx.release',
  'MessageInterrupts.release',
]);

/** All functions that the package exports and that declare a parameter, as `function` or `Class.method`. */
function publicFunctions(): string[] {
  const names: string[] = [];
  for (const [name, exported] of Object.entries(vfio)) {
    if (typeof exported !== 'function') continue;
    if (!/^[A-Z]/.test(name)) names.push(...(exported.length > 0 ? [name] : []));
    else if (name !== 'VfioError')
      names.push(...methods(name, exported), ...methods(name, Reflect.get(exported, 'prototype') as object));
  }
  return names.filter(name => !internal.has(name));
}

function methods(of: string, holder: object): string[] {
  return Object.entries(Object.getOwnPropertyDescriptors(holder)).flatMap(([name, property]) => {
    const work: unknown = property.value ?? Reflect.get(property, 'set');
    const counts = typeof work === 'function' && work.length > 0 && name !== 'constructor';
    return counts ? [`${of}.${name}`] : [];
  });
}
