/**
 * The native layer as TypeScript sees it: one small function per system call, no policy.
 *
 * Everything the kernel gives lives behind an opaque handle that owns it: it is released by its `…Close`/`…Free`
 * function, or else when the handle is collected, or else when the environment (process or worker) ends, and always
 * in the order device → group → container. Releasing twice is harmless; using a released handle throws
 * `ERR_VFIO_CLOSED`. Arguments were validated by the caller: a wrong type here throws a plain `TypeError`.
 *
 * A failing system call throws an `Error` with `code` ('EBUSY'), `errno` (negative, as in Node's own errors),
 * `syscall` (the ioctl's name, or 'open', 'mmap', …) and `path`; `lib/errors` turns it into a {@link VfioError}.
 *
 * A function whose last parameter is `async` does its work on the thread pool and returns a promise when that is
 * true, and does it at once and returns the plain result when it is false.
 */
import bindings from 'bindings';
import * as path from 'node:path';
import { VfioError } from './errors/vfio-error';
import type { NativeFeatures } from './native-features';
import type { IommufdHandle, NativeIommufd } from './native-iommufd';

declare const brand: unique symbol;
export interface Handle<Name extends string> {
  readonly [brand]: Name;
}
export type ContainerHandle = Handle<'container'>;
export type GroupHandle = Handle<'group'>;
export type DeviceHandle = Handle<'device'>;
export type BarHandle = Handle<'bar'>;
export type MemoryHandle = Handle<'memory'>;
export type DmaMapHandle = Handle<'dmaMap'>;
export type EventFdHandle = Handle<'eventfd'>;
export type RestoreHandle = Handle<'restore'>;

/** An entry of a capability chain (`struct vfio_info_cap_header`): `data` is what follows the 8-byte header. */
export interface RawCapability {
  id: number;
  version: number;
  data: Uint8Array;
}
export interface RawIommuInfo {
  flags: number;
  pageSizes: bigint;
  capabilities: RawCapability[];
}
export interface RawDeviceInfo {
  flags: number;
  regionCount: number;
  irqCount: number;
  capabilities: RawCapability[];
}
export interface RawRegionInfo {
  flags: number;
  /** Bytes; a region that does not exist has size 0. */
  size: number;
  /** Where the region starts within the device's file. */
  fileOffset: number;
  capabilities: RawCapability[];
}
export interface RawIrqInfo {
  flags: number;
  count: number;
}

/** Each returns `undefined` (reads) or `false` (writes) when refused: closed, unaligned, or outside every area. */
export interface BarAccessors {
  read8(offset: number): number | undefined;
  read16(offset: number): number | undefined;
  read32(offset: number): number | undefined;
  read64(offset: number): bigint | undefined;
  write8(offset: number, value: number): boolean;
  write16(offset: number, value: number): boolean;
  write32(offset: number, value: number): boolean;
  write64(offset: number, value: bigint): boolean;
}

/** What another environment lends, and what it told of it. */
export interface Adopted<Handle> {
  handle: Handle;
  about: string;
}

type Width = 1 | 2 | 4 | 8;
/** The result, or with `async` a promise of it. */
export type Maybe<T> = T | Promise<T>;
/** Which half of `VFIO_DEVICE_SET_IRQS` acts: the `VFIO_IRQ_SET_ACTION_*` flag. */
export type IrqAction = 'mask' | 'unmask' | 'trigger';

export interface NativeAddon extends NativeIommufd, NativeFeatures {
  /** `sysconf(_SC_PAGESIZE)`. */
  readonly pageSize: number;

  // Container: /dev/vfio/vfio (native/container.cc)
  containerOpen(path: string): ContainerHandle;
  /** The same file as an iommufd, used as a container: its compatibility mode. */
  containerFromIommufd(iommufd: IommufdHandle): ContainerHandle;
  containerGetApiVersion(container: ContainerHandle): number;
  containerCheckExtension(container: ContainerHandle, extension: number): number;
  containerSetIommu(container: ContainerHandle, type: number): void;
  containerGetIommuInfo(container: ContainerHandle): RawIommuInfo;
  containerClose(container: ContainerHandle): void;

  // DMA mappings: VFIO_IOMMU_MAP_DMA and UNMAP_DMA (native/dma.cc)
  /** `flags`: 1 the device may read, 2 it may write. The mapping keeps `memory` and `container` alive. */
  dmaMap(
    container: ContainerHandle,
    memory: MemoryHandle,
    offset: number,
    length: number,
    iova: bigint,
    flags: number,
    async: boolean,
  ): Maybe<DmaMapHandle>;
  /** Returns the bytes the kernel says it unmapped; 0 when it was unmapped before. */
  dmaUnmap(map: DmaMapHandle, async: false): number;
  dmaUnmap(map: DmaMapHandle, async: boolean): Maybe<number>;
  /** `VFIO_DMA_UNMAP_FLAG_ALL`: one call for everything mapped in the container. */
  dmaUnmapAll(container: ContainerHandle, async: false): number;
  dmaUnmapAll(container: ContainerHandle, async: boolean): Maybe<number>;

  // Group: /dev/vfio/N (native/group.cc)
  groupOpen(path: string): GroupHandle;
  groupGetStatus(group: GroupHandle): number;
  groupSetContainer(group: GroupHandle, container: ContainerHandle): void;
  groupUnsetContainer(group: GroupHandle): void;
  /** The kernel resets the device here: about 25 ms. `name` is what `VFIO_GROUP_GET_DEVICE_FD` takes. */
  groupGetDeviceFd(group: GroupHandle, name: string, async: boolean): Maybe<DeviceHandle>;
  groupClose(group: GroupHandle): void;

  // Device (native/device.cc)
  deviceGetInfo(device: DeviceHandle): RawDeviceInfo;
  deviceGetRegionInfo(device: DeviceHandle, index: number): RawRegionInfo;
  deviceGetIrqInfo(device: DeviceHandle, index: number): RawIrqInfo;
  deviceReset(device: DeviceHandle, async: boolean): Maybe<void>;
  /** Whether any of its mappings is dead pages. */
  deviceDead(device: DeviceHandle): boolean;
  /** Puts the device back where its mappings are dead pages; returns in how many. One that does not answer dies again. */
  deviceRevive(device: DeviceHandle): number;
  /** Interrupts off, then bus mastering off; never throws, the device may be gone. */
  deviceQuiesce(device: DeviceHandle): void;
  /** Quiesces, puts dead pages under every BAR mapping, closes the fd (the kernel resets: about 25 ms). */
  deviceClose(device: DeviceHandle, async: false): void;
  deviceClose(device: DeviceHandle, async: boolean): Maybe<void>;

  // Region access through the device's file: pread and pwrite (native/region.cc)
  regionRead(device: DeviceHandle, fileOffset: number, width: 1 | 2 | 4): number;
  regionRead64(device: DeviceHandle, fileOffset: number): bigint;
  regionWrite(device: DeviceHandle, fileOffset: number, width: 1 | 2 | 4, value: number): void;
  regionWrite64(device: DeviceHandle, fileOffset: number, value: bigint): void;
  /** Returns how many bytes the kernel moved, which may be fewer than asked. */
  regionReadInto(device: DeviceHandle, fileOffset: number, target: Uint8Array): number;
  regionWriteFrom(device: DeviceHandle, fileOffset: number, source: Uint8Array): number;

  // BAR mappings (native/bar.cc)
  /**
   * Maps `[offset, offset + length)` of a region, of which only `areas` (pairs of start and length, relative to the
   * mapping, page aligned) are the device; the rest is filled with dead pages that read all-ones. `gone` is signalled
   * when an access finds that the device does not answer: the mapping is dead pages then, from that access on.
   */
  barMap(
    device: DeviceHandle,
    fileOffset: number,
    length: number,
    areas: [start: number, length: number][],
    writable: boolean,
    gone: EventFdHandle,
  ): BarHandle;
  /** Whether the device has stopped answering, and is dead pages here. */
  barDead(bar: BarHandle): boolean;
  barAccessors(bar: BarHandle): BarAccessors;
  /** The mapping as one ArrayBuffer, always the same; after `barUnmap` its pages are dead and read all-ones. */
  barBuffer(bar: BarHandle): ArrayBuffer;
  barUnmap(bar: BarHandle): void;

  // Interrupts: VFIO_DEVICE_SET_IRQS (native/irq.cc)
  /** Vector `start + i` signals `eventfds[i]`; `null` disarms one. Enabling from nothing enables the whole index. */
  irqSetEventFds(
    device: DeviceHandle,
    index: number,
    start: number,
    eventfds: readonly (EventFdHandle | null)[],
  ): void;
  /** `DATA_NONE | ACTION_TRIGGER` with count 0: the whole index off. */
  irqDisable(device: DeviceHandle, index: number): void;
  /** The action on `count` vectors (`DATA_NONE`). */
  irqAction(device: DeviceHandle, index: number, action: IrqAction, start: number, count: number): void;
  /** The action on each vector whose byte in `which` is not 0 (`DATA_BOOL`). */
  irqActionEach(
    device: DeviceHandle,
    index: number,
    action: IrqAction,
    start: number,
    which: Uint8Array,
  ): void;
  /** The kernel unmasks INTx whenever `eventfd` fires (`ACTION_UNMASK` with an eventfd); `null` ends that. */
  irqSetUnmaskEventFd(device: DeviceHandle, index: number, eventfd: EventFdHandle | null): void;

  // ioeventfd (native/ioeventfd.cc)
  /** The kernel writes `value` at `fileOffset` whenever `eventfd` fires; `null` takes that registration away. */
  ioEventFd(
    device: DeviceHandle,
    fileOffset: number,
    width: Width,
    value: bigint,
    eventfd: EventFdHandle | null,
  ): void;

  // eventfd (native/eventfd.cc)
  eventFdCreate(): EventFdHandle;
  /** Adds to the counter. */
  eventFdSignal(eventfd: EventFdHandle, count: number): void;
  /** Takes the counter: 0 when nothing was signalled. */
  eventFdTake(eventfd: EventFdHandle): number;
  /** Blocks the thread until signalled or `timeoutMs` passed (-1: for ever) and takes the counter: 0 on time-out. */
  eventFdWait(eventfd: EventFdHandle, timeoutMs: number): number;
  /** The file descriptor, for those who wait on it themselves; it stays owned by the handle. */
  eventFdNumber(eventfd: EventFdHandle): number;
  eventFdClose(eventfd: EventFdHandle): void;

  // The loop: one epoll, edge-triggered, under one uv_poll per environment, and a few handles of their own (native/loop.cc)
  /**
   * Calls `onFired(n)` with the first `n` cells of `ids` and `counts` filled in. Returns those two arrays, always the
   * same. Called once per environment, before `loopAdd`.
   */
  loopStart(onFired: (n: number) => void): { ids: Uint32Array; counts: Float64Array };
  /**
   * `readCount` false skips the read(2): the count is then reported as 1, meaning "at least one". `direct` gives the
   * eventfd a handle of its own while there are any left: quicker for one event, slower for many.
   */
  loopAdd(eventfd: EventFdHandle, id: number, readCount: boolean, direct: boolean): void;
  loopRemove(eventfd: EventFdHandle): void;
  /** Whether the loop's handle keeps the process alive. */
  loopRef(ref: boolean): void;

  // Memory for DMA (native/memory.cc)
  /**
   * Anonymous zeroed memory, populated, excluded from fork. `hugePageSize` 0 takes ordinary pages (transparent huge
   * ones where `alignment` allows); `numaNode` -1 leaves placement to the kernel.
   */
  memoryAlloc(
    length: number,
    alignment: number,
    hugePageSize: number,
    numaNode: number,
    async: boolean,
  ): Maybe<MemoryHandle>;
  /** The same at an address of this process: `EEXIST` when anything is mapped there. */
  memoryAllocAt(
    length: number,
    address: bigint,
    hugePageSize: number,
    numaNode: number,
    async: boolean,
  ): Maybe<MemoryHandle>;
  /** Memory the caller brought; the view's buffer is kept alive until the handle is freed and nothing maps it. */
  memoryFromView(view: Uint8Array): MemoryHandle;
  memoryAddress(memory: MemoryHandle): bigint;
  /** An ArrayBuffer over memory from `memoryAlloc`, always the same one. */
  memoryBuffer(memory: MemoryHandle): ArrayBuffer;
  /** Gives the pages back; views kept over them see zeroes. Throws `EBUSY` while a DMA mapping exists. */
  memoryFree(memory: MemoryHandle): void;

  // Between the environments of this process (native/adopt.cc)
  /** Lends it to whoever has `key`, until it is given back to the kernel; `about` is told to them. Keeps it until then. */
  shareBar(bar: BarHandle, key: string, about: string): void;
  shareMemory(memory: MemoryHandle, key: string, about: string): void;
  shareEventFd(eventfd: EventFdHandle, key: string, about: string): void;
  /** What a key stands for, as something of this environment; null when that is nothing (any more). */
  adoptBar(key: string): Adopted<BarHandle> | null;
  /** `view` shows the memory if it was brought by its owner; null where it was not. */
  adoptMemory(key: string, view: Uint8Array | null): Adopted<MemoryHandle> | null;
  /** A number is the thread that waits on it already: only one can. */
  adoptEventFd(key: string, thread: number): Adopted<EventFdHandle> | number | null;
  /** Whether a key still stands for anything. */
  shareOpen(key: string): boolean;
  /** Ends it for the borrowers, who are not to be told by the end of the resource. */
  shareRevoke(key: string): void;
  /** The owner waits on it: -1, or the thread of the borrower that does. */
  shareTake(key: string, thread: number): number;
  /** The owner has stopped. */
  shareGiveBack(key: string): void;
  /** The thread that waits on it as a borrower, -1 for none. */
  shareBorrower(key: string): number;

  // Giving things back (native/restore.cc)
  /** Writes each string to its file, in order, by `restoreRun` or when the environment ends, after devices closed. */
  restoreCreate(writes: [path: string, data: string][]): RestoreHandle;
  /** Runs the writes once; returns the failures as `errno` per write (0: done). */
  restoreRun(restore: RestoreHandle, async: boolean): Maybe<number[]>;

  /**
   * Closes everything, devices first; from now on nothing is opened any more (`ERR_VFIO_CLOSED`), and what the thread pool
   * is just opening is closed at once. For the end of the process, before devices are given back: one that is open with
   * nobody left to close it, as its promise was never heard of, would make its driver's unbinding wait for ever.
   */
  closeAll(): void;

  // For tests
  /** What this environment holds at the moment. */
  liveObjects(): {
    containers: number;
    groups: number;
    devices: number;
    bars: number;
    memories: number;
    dmaMaps: number;
    eventfds: number;
    restores: number;
    iommufds: number;
    files: number;
  };
  /** The `skip + 1`-th next system call of that name in this environment fails with `errno`; 0 clears. */
  failNext(syscall: string, errno: number, skip: number): void;
  /**
   * The next `times` ioctls of that name in this environment answer what no sound kernel would; 0 clears. `result` is the
   * call's, where negative an errno; with null the kernel is asked first. Then `bytes` are written over the call's
   * structure from byte `at` on, as far as its `argsz` or `size` reaches: only for ioctls whose structure has one.
   */
  answerNext(name: string, result: number | null, at: number, bytes: Uint8Array, times: number): void;
}

let loaded: NativeAddon | undefined;

/** Loads the addon on first use, so that importing the package for its types works on any machine. */
export function native(): NativeAddon {
  loaded ??= load();
  return loaded;
}

function load(): NativeAddon {
  if (process.platform !== 'linux') {
    throw new VfioError(
      `vfio cannot run on ${process.platform}: VFIO is an interface of the Linux kernel. Types and constants work everywhere`,
      { code: 'ERR_VFIO_UNSUPPORTED' },
    );
  }
  const root = path.join(__dirname, '..', '..');
  try {
    return bindings({ bindings: 'vfio.node', module_root: root }) as NativeAddon;
  } catch (error) {
    const detail = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    throw new VfioError(`The native part of vfio is not there or does not load (${detail})`, {
      code: 'ERR_VFIO_NOT_BUILT',
      likelyCause: 'install scripts were not run, or it was built for another Node or machine',
      cure: 'npm rebuild vfio (needs g++, make and python3)',
      cause: error,
    });
  }
}
