/**
 * The system calls of VFIO without VFIO: takes the place of the native layer's functions that need a kernel with it, keeps
 * the kernel's rules that the library leans on, and remembers what was called. Eventfds, the loop and memory stay real.
 */
import assert from 'node:assert/strict';
import { Container } from '../../lib/container.js';
import type { Device } from '../../lib/device.js';
import { Group } from '../../lib/group.js';
import { type BarAccessors, type EventFdHandle, type NativeAddon, native } from '../../lib/native.js';
import { access, barAccessors, type FakeDevice, fakeNic, regionAt, regionInfo } from './fake-device.js';
import { type Code, systemError } from './system-error.js';

type Name = keyof NativeAddon;
interface Opened {
  device: FakeDevice;
  armed: Map<number, (EventFdHandle | null)[]>;
  ioeventfds: Set<string>;
}
interface Bar {
  open: boolean;
}

export class FakeKernel implements Disposable {
  /** Every call in order: the function's name and those of its arguments that are plain values. */
  readonly log: string[] = [];
  /** Address → device. */
  readonly devices = new Map([['0000:03:00.0', fakeNic()]]);
  /** `VFIO_GROUP_GET_STATUS`. */
  groupStatus = 1;
  extensions = new Map([
    [1, 1],
    [3, 1],
    [9, 1],
  ]);
  iommu = {
    flags: 3,
    pageSizes: 0x4020_1000n,
    capabilities: [] as { id: number; version: number; data: Uint8Array }[],
  };
  /** What is mapped now, by IOVA. */
  readonly mapped = new Map<bigint, number>();
  readonly #failures: { name: string; code: Code; skip: number }[] = [];
  readonly #real: Partial<Record<Name, unknown>>;

  constructor() {
    const fake = this.#functions();
    const addon = native() as unknown as Record<string, unknown>;
    this.#real = Object.fromEntries(Object.keys(fake).map(name => [name, addon[name]]));
    const seen = Object.entries(fake).map(([name, work]) => [name, this.#watched(name, work)]);
    Object.assign(addon, Object.fromEntries(seen));
  }

  [Symbol.dispose](): void {
    Object.assign(native(), this.#real);
  }

  /** The `skip + 1`-th next call of that function fails. */
  fail(name: Name, code: Code, skip = 0): void {
    this.#failures.push({ name, code, skip });
  }

  /** What was called since it was asked last, of the functions named. */
  take(...names: Name[]): string[] {
    const all = this.log.splice(0);
    return names.length === 0
      ? all
      : all.filter(line => (names as string[]).includes(line.split(' ')[0] as string));
  }

  /** A device in a group in a container of their own. */
  open(address = '0000:03:00.0', group = 12): { container: Container; group: Group; device: Device } {
    const container = Container.open();
    const opened = Group.open(group);
    container.attach(opened);
    container.setIommu();
    return { container, group: opened, device: opened.openDeviceSync(address) };
  }

  #watched(name: string, work: (...args: never[]) => unknown): (...args: unknown[]) => unknown {
    return (...args) => {
      this.log.push([name, ...args.flatMap(plain)].join(' '));
      const perform = (): unknown => {
        const failure = this.#failures.find(one => one.name === name);
        if (failure !== undefined && failure.skip-- === 0) {
          this.#failures.splice(this.#failures.indexOf(failure), 1);
          throw systemError(name, failure.code);
        }
        return work(...(args as never[]));
      };
      return asyncFunctions.has(name) && args.at(-1) === true ? Promise.resolve().then(perform) : perform();
    };
  }

  #functions(): Partial<Record<Name, (...args: never[]) => unknown>> {
    const bars = new WeakMap<object, BarAccessors>();
    return {
      containerOpen: () => ({}),
      containerGetApiVersion: () => 0,
      containerCheckExtension: (_: object, extension: number) => this.extensions.get(extension) ?? 0,
      containerSetIommu: () => undefined,
      containerGetIommuInfo: () => this.iommu,
      containerClose: () => undefined,
      dmaMap: (_: object, _memory: object, _offset: number, length: number, iova: bigint) => {
        for (const [start, size] of this.mapped) {
          if (iova < start + BigInt(size) && start < iova + BigInt(length))
            throw systemError('dmaMap', 'EEXIST');
        }
        this.mapped.set(iova, length);
        return { iova };
      },
      dmaUnmap: ({ iova }: { iova: bigint }) => (this.mapped.delete(iova) ? 1 : 0),
      dmaUnmapAll: () => this.mapped.clear(),
      groupOpen: () => ({}),
      groupGetStatus: () => this.groupStatus,
      groupSetContainer: () => undefined,
      groupUnsetContainer: () => undefined,
      groupGetDeviceFd: (_: object, address: string): Opened => {
        const device = this.devices.get(address);
        if (device === undefined) throw systemError('groupGetDeviceFd', 'ENODEV');
        return { device, armed: new Map(), ioeventfds: new Set() };
      },
      groupClose: () => undefined,
      deviceGetInfo: ({ device }: Opened) => device.info,
      deviceGetRegionInfo: ({ device }: Opened, index: number) => regionInfo(device, index),
      deviceGetIrqInfo: ({ device }: Opened, index: number) => device.irqs[index],
      deviceReset: () => undefined,
      deviceQuiesce: () => undefined,
      deviceClose: () => undefined,
      regionRead: (opened: Opened, at: number, width: 1 | 2 | 4) => Number(access(opened.device, at, width)),
      regionRead64: (opened: Opened, at: number) => access(opened.device, at, 8),
      regionWrite: (opened: Opened, at: number, width: 1 | 2 | 4, value: number) =>
        access(opened.device, at, width, BigInt(value)),
      regionWrite64: (opened: Opened, at: number, value: bigint) => access(opened.device, at, 8, value),
      regionReadInto: ({ device }: Opened, at: number, target: Uint8Array) => {
        const { region, offset } = regionAt(device, at);
        target.set(region.bytes.subarray(offset, offset + target.length));
        return target.length;
      },
      regionWriteFrom: ({ device }: Opened, at: number, source: Uint8Array) => {
        const { region, offset } = regionAt(device, at);
        region.bytes.set(source, offset);
        return source.length;
      },
      barMap: (
        opened: Opened,
        at: number,
        length: number,
        areas: [number, number][],
        writable: boolean,
      ): Bar => {
        const bar = { open: true };
        bars.set(
          bar,
          barAccessors(opened.device, at, areas, () => ({ open: bar.open, writable })),
        );
        assert(length > 0);
        return bar;
      },
      barAccessors: (bar: Bar) => bars.get(bar),
      barBuffer: () => new ArrayBuffer(8),
      barUnmap: (bar: Bar) => {
        bar.open = false;
      },
      irqSetEventFds: (
        { armed, device }: Opened,
        index: number,
        start: number,
        eventfds: (EventFdHandle | null)[],
      ) => {
        const info = device.irqs[index];
        const before = armed.get(index);
        const grown = start + eventfds.length > (before?.length ?? Infinity);
        if (info === undefined || start + eventfds.length > info.count)
          throw systemError('irqSetEventFds', 'EINVAL');
        if (before !== undefined && grown && (info.flags & 8) !== 0)
          throw systemError('irqSetEventFds', 'EINVAL');
        const vectors = before ?? [];
        for (const [i, eventfd] of eventfds.entries()) vectors[start + i] = eventfd;
        armed.set(
          index,
          Array.from(vectors, one => one ?? null),
        );
      },
      irqDisable: ({ armed }: Opened, index: number) => void armed.delete(index),
      irqAction: ({ armed }: Opened, index: number, action: string, start: number, count: number) => {
        if (action !== 'trigger') return;
        for (const eventfd of armed.get(index)?.slice(start, start + count) ?? []) {
          if (eventfd != null) native().eventFdSignal(eventfd, 1);
        }
      },
      irqSetUnmaskEventFd: () => undefined,
      ioEventFd: (
        { ioeventfds }: Opened,
        at: number,
        width: number,
        value: bigint,
        eventfd: EventFdHandle | null,
      ) => {
        const key = `${at} ${width} ${value}`;
        if (eventfd === null) ioeventfds.delete(key);
        else if (ioeventfds.has(key)) throw systemError('ioEventFd', 'EEXIST');
        else if (ioeventfds.size === 1000) throw systemError('ioEventFd', 'ENOSPC');
        else ioeventfds.add(key);
      },
    };
  }
}

/** Those that return a promise when their last argument is true. */
const asyncFunctions = new Set([
  'dmaMap',
  'dmaUnmap',
  'dmaUnmapAll',
  'groupGetDeviceFd',
  'deviceReset',
  'deviceClose',
]);

function plain(value: unknown): string[] {
  if (Array.isArray(value)) return [`[${value.map(one => (one === null ? '-' : 'e')).join('')}]`];
  const shown = ['number', 'bigint', 'string', 'boolean'].includes(typeof value);
  return shown ? [`${value as number}`] : [];
}
