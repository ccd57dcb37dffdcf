import { closedError, unsupportedError } from './errors/vfio-error';
import { type BarAccessors, type BarHandle, native } from './native';
import { checkOffset, checkValue, checkValue64, type Registers, type Width } from './registers';
import type { Region } from './region';
import { isOpen, share, type Shared } from './shared';
import { coded, hex } from './validate';

/** What a mapping that was adopted knows of the region it shows. */
type LentRegion = Pick<Region, 'name' | 'address' | 'closed'>;

/** @internal What a mapping tells of itself to other threads. */
export interface MappingAbout {
  name: string;
  address: string;
  offset: number;
  size: number;
  areas: [start: number, size: number][];
  writable: boolean;
}

/**
 * A region of a device in this process's memory: registers at the cost of the bus, no system call.
 *
 * Reads and writes are single accesses of exactly the named width, whatever the JavaScript engine does around them.
 * Offsets count from the start of the mapping. After {@link close}, or after its device closed, every access throws.
 *
 * A device that does not answer (memory decoding off, asleep) is {@link dead} here: reads are all-ones, writes go nowhere, and
 * nothing ends the process. That is found out by a signal, SIGBUS: of a handler that is installed for it after the last
 * mapping was made, that one comes first, and must pass on what is not its own.
 */
export class Mapping implements Registers, Disposable {
  /** Where in the region it starts, in bytes. */
  readonly offset: number;
  readonly size: number;
  readonly #region: Region | LentRegion;
  readonly #adopted: boolean;
  readonly #bar: BarHandle;
  readonly #io: BarAccessors;
  readonly #areas: readonly [start: number, size: number][];
  readonly #writable: boolean;
  #closed = false;
  #shared: Shared<Mapping> | undefined;

  /** @internal */
  constructor(
    region: Region | LentRegion,
    offset: number,
    size: number,
    areas: readonly [start: number, size: number][],
    writable: boolean,
    bar: BarHandle,
    shared?: Shared<Mapping>,
  ) {
    this.#region = region;
    this.#adopted = shared !== undefined;
    this.#shared = shared;
    this.offset = offset;
    this.size = size;
    this.#areas = areas;
    this.#writable = writable;
    this.#bar = bar;
    this.#io = native().barAccessors(bar);
  }

  /** @internal Another thread's mapping in this one. */
  static adopted(bar: BarHandle, about: MappingAbout, shared: Shared<Mapping>): Mapping {
    const { name, address, offset, size, areas, writable } = about;
    const lent = {
      name,
      address,
      get closed() {
        return !isOpen(shared.key);
      },
    };
    return new Mapping(lent, offset, size, areas, writable, bar, shared);
  }

  /**
   * The region it shows.
   *
   * @throws VfioError `ERR_VFIO_UNSUPPORTED` of a mapping that was adopted: the region is another thread's
   */
  get region(): Region {
    if (!this.#adopted) return this.#region as Region;
    throw unsupportedError(`${this.#name} was adopted: its region is in the thread that opened the device`);
  }

  get closed(): boolean {
    return this.#closed || this.#region.closed;
  }

  /**
   * Lets other threads of this process use it: `adopt()` makes a mapping of the result there. It stays open until it is
   * closed, by {@link close} or with its device, also when nobody holds it any more.
   */
  share(): Shared<Mapping> {
    if (this.closed) throw closedError(this.#name);
    return (this.#shared ??= share(
      'mapping',
      {
        name: this.#region.name,
        address: this.#region.address,
        offset: this.offset,
        size: this.size,
        areas: this.#areas,
        writable: this.#writable,
      },
      (key, about) => native().shareBar(this.#bar, key, about),
    ));
  }

  /**
   * Whether the device was found not to answer, so that this is dead pages: the `'gone'` of the device, for code that does
   * not wait for the event loop. False again when the device is back.
   */
  get dead(): boolean {
    if (this.closed) throw closedError(this.#name);
    return native().barDead(this.#bar);
  }

  read8(offset: number): number {
    return this.#io.read8(offset) ?? this.#refuse(offset, 1);
  }

  read16(offset: number): number {
    return this.#io.read16(offset) ?? this.#refuse(offset, 2);
  }

  read32(offset: number): number {
    return this.#io.read32(offset) ?? this.#refuse(offset, 4);
  }

  /** One 64-bit access. Devices that want two 32-bit ones say so: use {@link read32} twice for those. */
  read64(offset: number): bigint {
    return this.#io.read64(offset) ?? this.#refuse(offset, 8);
  }

  write8(offset: number, value: number): void {
    checkValue(value, 1);
    if (!this.#io.write8(offset, value)) this.#refuse(offset, 1);
  }

  write16(offset: number, value: number): void {
    checkValue(value, 2);
    if (!this.#io.write16(offset, value)) this.#refuse(offset, 2);
  }

  write32(offset: number, value: number): void {
    checkValue(value, 4);
    if (!this.#io.write32(offset, value)) this.#refuse(offset, 4);
  }

  /** One 64-bit access. */
  write64(offset: number, value: bigint): void {
    checkValue64(value);
    if (!this.#io.write64(offset, value)) this.#refuse(offset, 8);
  }

  /**
   * The mapping as an ArrayBuffer, for device memory (frame buffers, controller memory buffers) rather than registers:
   * a JavaScript engine may drop, merge or repeat plain reads, and read or write in other widths than the array's. It must
   * not be transferred or cloned, which would read the whole device.
   *
   * After closing it shows ordinary memory, all-ones where it was not written, and never the device.
   *
   * @throws VfioError `ERR_VFIO_UNSUPPORTED` for a read-only mapping: a store through it would end the process
   * @throws Error `ERR_VFIO_NO_EXTERNAL_BUFFERS` where the JavaScript engine was built without them; the accessors work
   */
  get buffer(): ArrayBuffer {
    if (this.closed) throw closedError(this.#name);
    if (!this.#writable) throw unsupportedError(`${this.#name} is read-only, and an ArrayBuffer is not`);
    return native().barBuffer(this.#bar);
  }

  /** Unmaps it, for the threads that adopted it too. The device stays open. Does nothing the second time. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    native().barUnmap(this.#bar);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  get #name(): string {
    return `The mapping of ${this.#region.name} of ${this.#region.address}`;
  }

  /** Finds out why the native layer refused an access. */
  #refuse(offset: unknown, width: Width): never {
    if (this.closed) throw closedError(this.#name);
    checkOffset(offset, width, this.size, this.#name);
    if (!this.#areas.some(([start, size]) => offset >= start && offset + width <= start + size)) {
      const mapped = this.#areas.map(([start, size]) => `${hex(start)}-${hex(start + size - 1)}`).join(', ');
      throw coded(
        new RangeError(
          `offset ${hex(offset)} lies in a part of ${this.#region.name} that the kernel does not let be mapped; mapped: ` +
            `${mapped}. ${this.#region.name} itself (device.region) reaches it by system call`,
        ),
        'ERR_OUT_OF_RANGE',
      );
    }
    if (!this.#writable) throw unsupportedError(`${this.#name} is read-only`);
    throw closedError(this.#name);
  }
}
