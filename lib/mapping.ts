import { closedError, unsupportedError } from './errors/vfio-error';
import { type BarAccessors, type BarHandle, native } from './native';
import { checkOffset, checkValue, checkValue64, type Registers, type Width } from './registers';
import { coded, hex } from './validate';
import type { Region } from './region';

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
  /** The region it shows. */
  readonly region: Region;
  /** Where in the region it starts, in bytes. */
  readonly offset: number;
  readonly size: number;
  readonly #bar: BarHandle;
  readonly #io: BarAccessors;
  readonly #areas: readonly [start: number, size: number][];
  readonly #writable: boolean;
  #closed = false;

  /** @internal */
  constructor(
    region: Region,
    offset: number,
    size: number,
    areas: readonly [start: number, size: number][],
    writable: boolean,
    bar: BarHandle,
  ) {
    this.region = region;
    this.offset = offset;
    this.size = size;
    this.#areas = areas;
    this.#writable = writable;
    this.#bar = bar;
    this.#io = native().barAccessors(bar);
  }

  get closed(): boolean {
    return this.#closed || this.region.closed;
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

  /** Unmaps it. The device stays open. Does nothing the second time. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    native().barUnmap(this.#bar);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  get #name(): string {
    return `The mapping of ${this.region.name} of ${this.region.address}`;
  }

  /** Finds out why the native layer refused an access. */
  #refuse(offset: unknown, width: Width): never {
    if (this.closed) throw closedError(this.#name);
    checkOffset(offset, width, this.size, this.#name);
    if (!this.#areas.some(([start, size]) => offset >= start && offset + width <= start + size)) {
      const mapped = this.#areas.map(([start, size]) => `${hex(start)}-${hex(start + size - 1)}`).join(', ');
      throw coded(
        new RangeError(
          `offset ${hex(offset)} lies in a part of ${this.region.name} that the kernel does not let be mapped; mapped: ` +
            `${mapped}. ${this.region.name} itself (device.region) reaches it by system call`,
        ),
        'ERR_OUT_OF_RANGE',
      );
    }
    if (!this.#writable) throw unsupportedError(`${this.#name} is read-only`);
    throw closedError(this.#name);
  }
}
