import type { Device } from './device';
import { attempt, type Context } from './errors/explain';
import { unsupportedError, VfioError } from './errors/vfio-error';
import { createIoEventFd, type IoEventFd } from './ioeventfd';
import { Mapping } from './mapping';
import { native } from './native';
import { type Area, mappableAreas, type RegionInfo } from './region-info';
import { checkOffset, checkValue, checkValue64, type Registers } from './registers';
import { boolean, bytes, coded, hex, integer, options as checkOptions, rangeError } from './validate';

/** Options of {@link Region.map}. */
export interface MapRegionOptions {
  /** Where in the region to start: bytes, a multiple of the page size. Default 0. */
  offset?: number;
  /** How many bytes. Default: to the end of the region. */
  size?: number;
  /** Whether writes are wanted. Default: when the region allows them. */
  writable?: boolean;
}

/** `VFIO_PCI_*_REGION_INDEX` */
export const RegionIndex = Object.freeze({ Bar0: 0, Rom: 6, Config: 7, Vga: 8 });

const names = ['BAR0', 'BAR1', 'BAR2', 'BAR3', 'BAR4', 'BAR5', 'ROM', 'config', 'VGA'];

/**
 * A region of a device: a BAR, the expansion ROM, config space, the VGA ranges, or one of the device's own.
 *
 * Its accessors are `pread` and `pwrite` on the device's file, one system call each: they reach everything, I/O ports and
 * unmappable parts too. {@link map} gives the same registers as memory, which is what a driver wants for BARs.
 */
export class Region implements Registers {
  readonly #device: Device;
  readonly #info: RegionInfo;

  /** @internal */
  constructor(device: Device, info: RegionInfo) {
    this.#device = device;
    this.#info = info;
  }

  /** The region's number as the kernel counts: 0–5 BARs, 6 ROM, 7 config space, 8 VGA, more for device-specific ones. */
  get index(): number {
    return this.#info.index;
  }

  /** `'BAR0'` … `'BAR5'`, `'ROM'`, `'config'`, `'VGA'`, `'region 9'` … */
  get name(): string {
    return names[this.index] ?? `region ${this.index}`;
  }

  /** Bytes; 0 when the device has none. The upper half of a 64-bit BAR counts as none. */
  get size(): number {
    return this.#info.size;
  }

  /** All that the kernel says about it. */
  get info(): RegionInfo {
    return this.#info;
  }

  /** The PCI address of its device. */
  get address(): string {
    return this.#device.address;
  }

  /** Whether its device is closed. */
  get closed(): boolean {
    return this.#device.closed;
  }

  /** Whether it is a BAR in I/O port space: those cannot be mapped, only read and written here. */
  get ioPort(): boolean {
    return this.index < 6 && this.size > 0 && (this.#device.config.barRegister(this.index) & 1) === 1;
  }

  /** The parts {@link map} can reach. Empty for I/O ports, config space and ROMs. */
  get areas(): readonly Area[] {
    const table = this.#device.config.msixTable();
    return mappableAreas(this.#info, table?.bar === this.index ? table : undefined, native().pageSize);
  }

  read8(offset: number): number {
    return this.#read(offset, 1);
  }
  read16(offset: number): number {
    return this.#read(offset, 2);
  }
  read32(offset: number): number {
    return this.#read(offset, 4);
  }
  /** One 8-byte `pread`; the kernel makes two 32-bit accesses of it before 6.10 and in config space. */
  read64(offset: number): bigint {
    checkOffset(offset, 8, this.size, this.name);
    return this.#attempt('Reading', offset, () =>
      native().regionRead64(this.#device.handle, this.#info.fileOffset + offset),
    );
  }
  write8(offset: number, value: number): void {
    this.#write(offset, 1, value);
  }
  write16(offset: number, value: number): void {
    this.#write(offset, 2, value);
  }
  write32(offset: number, value: number): void {
    this.#write(offset, 4, value);
  }
  /** One 8-byte `pwrite`; see {@link read64}. */
  write64(offset: number, value: bigint): void {
    checkOffset(offset, 8, this.size, this.name);
    checkValue64(value);
    this.#attempt('Writing', offset, () =>
      native().regionWrite64(this.#device.handle, this.#info.fileOffset + offset, value),
    );
    this.#wrote();
  }

  /**
   * Reads many bytes, in accesses of a width the kernel chooses: for ROMs and device memory, not for registers.
   *
   * @returns how many bytes were read: fewer than asked where the region ends in unreadable space
   */
  read(offset: number, target: Uint8Array): number {
    this.#checkSpan(offset, bytes(target, 'target').length);
    return this.#attempt('Reading', offset, () =>
      native().regionReadInto(this.#device.handle, this.#info.fileOffset + offset, target),
    );
  }

  /** Writes many bytes; see {@link read}. */
  write(offset: number, source: Uint8Array): number {
    this.#checkSpan(offset, bytes(source, 'source').length);
    const written = this.#attempt('Writing', offset, () =>
      native().regionWriteFrom(this.#device.handle, this.#info.fileOffset + offset, source),
    );
    this.#wrote();
    return written;
  }

  /**
   * Maps the region, or a part of it, into memory. Parts inside the range that the kernel does not let be mapped (see
   * {@link areas}) are refused by the mapping's accessors.
   *
   * @throws VfioError `ERR_VFIO_UNSUPPORTED` when nothing in the range can be mapped: an I/O port BAR, config space, a ROM,
   *   a BAR smaller than a page that shares its page
   */
  map(options?: MapRegionOptions): Mapping {
    const given = checkOptions(options, 'options', ['offset', 'size', 'writable']);
    const handle = this.#device.handle;
    const page = native().pageSize;
    if (this.size === 0) throw unsupportedError(`${this.address} has no ${this.name}`);
    const areas = this.areas;
    if (areas.length === 0) {
      throw unsupportedError(
        `${this.name} of ${this.address} cannot be mapped${this.ioPort ? ': it is in I/O port space' : ''}`,
        'use its read and write methods',
      );
    }
    const { offset: from = 0 } = given;
    const offset = integer(from, 'options.offset', 0, this.size - 1);
    if (offset % page !== 0)
      throw rangeError('options.offset', `a multiple of the page size, ${page}`, offset);
    const { size: length = this.size - offset, writable: wanted = this.#info.writable } = given;
    const size = integer(length, 'options.size', 1, this.size - offset);
    const writable = boolean(wanted, 'options.writable');
    if (writable && !this.#info.writable)
      throw unsupportedError(`${this.name} of ${this.address} is read-only`);
    const inside = areas.flatMap(area => within(area, offset, size));
    if (inside.length === 0) {
      const where = areas.map(area => `${hex(area.offset)}-${hex(area.offset + area.size - 1)}`).join(', ');
      throw unsupportedError(
        `Nothing of ${hex(offset)}-${hex(offset + size - 1)} of ${this.name} can be mapped`,
        `what can: ${where}`,
      );
    }
    const bar = this.#attempt('Mapping', offset, () =>
      native().barMap(
        handle,
        this.#info.fileOffset + offset,
        size,
        inside,
        writable,
        this.#device.barMemory.signal,
      ),
    );
    return new Mapping(this, offset, size, inside, writable, bar);
  }

  /**
   * `VFIO_DEVICE_IOEVENTFD`: from now on the kernel itself writes `value` at `offset` whenever the returned eventfd is
   * signalled. A doorbell that another process, a kernel thread or a virtual machine can ring. Kernel 4.17; a device takes
   * 1,000 of them.
   *
   * @param width bits: 8, 16, 32 or 64; `offset` must be a multiple of it
   * @throws VfioError `EEXIST` for a second one with the same offset, width and value, `ENOSPC` beyond 1,000, `EINVAL` for
   *   what is not in a BAR or lies over the MSI-X table, and for 64 bits on kernels that cannot
   */
  ioeventfd(offset: number, width: 8 | 16 | 32 | 64, value: number | bigint): IoEventFd {
    return createIoEventFd(this.#device, this, offset, width, value);
  }

  #read(offset: number, width: 1 | 2 | 4): number {
    checkOffset(offset, width, this.size, this.name);
    return this.#attempt('Reading', offset, () =>
      native().regionRead(this.#device.handle, this.#info.fileOffset + offset, width),
    );
  }

  #write(offset: number, width: 1 | 2 | 4, value: number): void {
    checkOffset(offset, width, this.size, this.name);
    checkValue(value, width);
    this.#attempt('Writing', offset, () =>
      native().regionWrite(this.#device.handle, this.#info.fileOffset + offset, width, value >>> 0),
    );
    this.#wrote();
  }

  /** Config space decides whether the device answers on its BARs. */
  #wrote(): void {
    if (this.index === RegionIndex.Config) this.#device.barMemory.revive();
  }

  #checkSpan(offset: number, length: number): void {
    integer(offset, 'offset', 0, this.size);
    if (offset + length > this.size) {
      throw coded(
        new RangeError(
          `${length} bytes at ${hex(offset)} reach beyond ${this.name}, which has ${this.size} bytes`,
        ),
        'ERR_OUT_OF_RANGE',
      );
    }
  }

  #attempt<T>(verb: string, offset: number, work: () => T): T {
    const context: Context = { doing: `${verb} ${this.name} at ${hex(offset)}`, address: this.address };
    try {
      return attempt(context, work);
    } catch (error) {
      if (error instanceof VfioError && error.syscall?.startsWith('p') === true) this.#checkDirection(verb);
      throw error;
    }
  }

  /** A region that allows no reads (or writes) answers EINVAL: say so instead. */
  #checkDirection(verb: string): void {
    if (verb === 'Reading' && !this.#info.readable)
      throw unsupportedError(`${this.name} of ${this.address} cannot be read`);
    if (verb === 'Writing' && !this.#info.writable)
      throw unsupportedError(`${this.name} of ${this.address} cannot be written`);
  }
}

/** The part of an area inside a range, relative to the range. */
function within(area: Area, offset: number, size: number): [start: number, size: number][] {
  const start = Math.max(area.offset, offset);
  const end = Math.min(area.offset + area.size, offset + size);
  return start < end ? [[start - offset, end - start]] : [];
}
