import type { Device } from '../device';
import { attempt } from '../errors/explain';
import { busyError, closedError, unsupportedError } from '../errors/vfio-error';
import { native } from '../native';
import { integer, options as checkOptions } from '../validate';
import type { IrqInfo } from './irq-info';
import { IrqVector } from './irq-vector';
import { readCounts } from './options';
import type { VectorOwner } from './vector-owner';

/** A run of vectors. */
export interface VectorRange {
  /** The first vector. Default 0. */
  start?: number;
  /** How many. */
  count: number;
}

/** Options of {@link MessageInterrupts.enable}. */
export interface EnableOptions extends VectorRange {
  /**
   * Whether events carry how many signals there were, at the price of one system call each. Default true. With many busy
   * vectors, `false` makes events several times cheaper; each then means "at least one".
   */
  counts?: boolean;
}

/**
 * MSI or MSI-X: interrupts that are memory writes by the device, so bus mastering must be on for them to arrive. Only one
 * kind of a device's interrupts can be enabled at a time.
 *
 * The kernel masks single vectors by itself where the device can; userspace cannot ask for it. To hold interrupts back,
 * use the device's own mask registers.
 */
export class MessageInterrupts implements VectorOwner {
  readonly #device: Device;
  /** What the kernel says about this kind. */
  readonly info: IrqInfo;
  readonly #vectors = new Map<number, IrqVector>();
  /** How many vectors the kernel set up when this kind was enabled: without dynamic MSI-X no more can be armed. */
  #allocated = 0;

  /** @internal */
  constructor(device: Device, info: IrqInfo) {
    this.#device = device;
    this.info = info;
  }

  /** How many vectors the device has; 0 when it lacks this kind. */
  get count(): number {
    return this.info.count;
  }

  /** The vectors enabled now, by number. */
  get enabled(): readonly IrqVector[] {
    return [...this.#vectors.values()].sort((a, b) => a.index - b.index);
  }

  /**
   * Whether vectors can be added without disturbing those enabled (dynamic MSI-X: kernel 6.5, and a platform that can).
   * Without it {@link enable} sets all of them up anew.
   */
  get canGrow(): boolean {
    return !this.info.noResize;
  }

  /** An enabled vector. */
  vector(index: number): IrqVector | undefined {
    return this.#vectors.get(integer(index, 'index', 0, 2047));
  }

  /**
   * Enables vectors, in addition to those enabled already (`VFIO_DEVICE_SET_IRQS`).
   *
   * Where the kernel cannot add to an enabled set ({@link canGrow}), the set is taken down and put up again: an
   * interrupt in that moment is lost by the hardware, so every vector that was enabled before gets one signal afterwards,
   * and its handler looks at the device.
   *
   * @param which how many, from 0; or which
   * @returns the new vectors, in order
   * @throws RangeError when the device has fewer; VfioError `ERR_VFIO_BUSY` when one is enabled already or another kind of
   *   interrupt is in use, `ENOSPC` when the machine has too few left. Nothing changed then.
   */
  enable(which: number | EnableOptions): [IrqVector, ...IrqVector[]] {
    const { start, count, counts } = this.#range(which);
    this.#checkFree(start, count);
    const added = this.#create(start, count, counts);
    try {
      if (this.#vectors.size === count || start + count <= this.#allocated || this.canGrow)
        this.#arm(start, count);
      else this.#rearm(new Set(added));
    } catch (error) {
      this.#discard(added);
      throw error;
    }
    this.#allocated = Math.max(this.#allocated, start + count);
    return added as [IrqVector, ...IrqVector[]]; // the count is 1 or more
  }

  /**
   * Disables a run of vectors, or all of them.
   *
   * @param range default all. Vectors of it that are not enabled are passed over.
   */
  disable(range?: VectorRange): void {
    const { start, count } =
      range === undefined
        ? { start: 0, count: Infinity }
        : this.#range(checkOptions(range, 'range', ['start', 'count']));
    const ending = this.enabled.filter(vector => vector.index >= start && vector.index < start + count);
    if (ending.length < this.#vectors.size) {
      for (const vector of ending) vector.close();
    } else if (ending.length > 0) {
      // One call for all of them: a vector at a time is slow when there are thousands.
      if (!this.#device.closed) this.#disableAll();
      this.#discard(ending);
    }
  }

  /**
   * Fires several enabled vectors in software with one system call (`VFIO_IRQ_SET_DATA_BOOL`); see
   * {@link IrqVector.trigger}.
   *
   * @param indexes their numbers, in any order; of none, none fires
   * @throws VfioError `ERR_VFIO_CLOSED` when one of them is not enabled; then none fires
   */
  trigger(...indexes: number[]): void {
    const { name, count } = this.info;
    const wanted = indexes.map((index, i) => integer(index, `indexes[${i}]`, 0, Math.max(0, count - 1)));
    if (wanted.length === 0) return;
    const disabled = wanted.find(index => !this.#vectors.has(index));
    if (disabled !== undefined) throw closedError(`${name} vector ${disabled} of ${this.#device.address}`);
    const start = Math.min(...wanted);
    const which = new Uint8Array(Math.max(...wanted) - start + 1);
    for (const index of wanted) which[index - start] = 1;
    attempt(this.#context('Triggering'), () =>
      native().irqActionEach(this.#device.handle, this.info.index, 'trigger', start, which),
    );
  }

  /** @internal */
  release(vector: IrqVector): void {
    if (!this.#forget(vector) || this.#device.closed) return;
    if (this.#vectors.size === 0) this.#disableAll();
    else {
      attempt(this.#context('Disabling a vector of'), () =>
        native().irqSetEventFds(this.#device.handle, this.info.index, vector.index, [null]),
      );
    }
  }

  #disableAll(): void {
    attempt(this.#context('Disabling'), () => native().irqDisable(this.#device.handle, this.info.index));
  }

  /** Tells the kernel the eventfds of a run of vectors in one call; `without` some that shall be passed over. */
  #arm(start: number, count: number, without?: ReadonlySet<IrqVector>): void {
    const eventfds = Array.from({ length: count }, (_, i) => {
      const vector = this.#vectors.get(start + i);
      return vector === undefined || without?.has(vector) === true ? null : vector.eventfd.handle;
    });
    attempt(this.#context('Enabling'), () =>
      native().irqSetEventFds(this.#device.handle, this.info.index, start, eventfds),
    );
  }

  /** Takes the whole set down and puts the larger one up; puts the old one back when that fails. */
  #rearm(added: ReadonlySet<IrqVector>): void {
    const before = this.enabled.filter(vector => !added.has(vector));
    const last = Math.max(...this.#vectors.keys());
    this.#disableAll();
    try {
      this.#arm(0, last + 1);
    } catch (error) {
      this.#arm(0, this.#allocated, added);
      throw error;
    } finally {
      for (const vector of before) vector.eventfd.signal();
    }
  }

  #create(start: number, count: number, counts: boolean): IrqVector[] {
    const vectors: IrqVector[] = [];
    try {
      for (let i = start; i < start + count; i++) {
        const vector = new IrqVector(this.#device, this, i, counts);
        vectors.push(vector);
        this.#vectors.set(i, vector);
        this.#device.adopt(vector);
      }
    } catch (error) {
      this.#discard(vectors);
      throw error;
    }
    return vectors;
  }

  /** Closes vectors that are not armed, or not any more. */
  #discard(vectors: readonly IrqVector[]): void {
    for (const vector of vectors) {
      this.#forget(vector);
      vector.close();
    }
  }

  #forget(vector: IrqVector): boolean {
    if (this.#vectors.get(vector.index) !== vector) return false;
    this.#vectors.delete(vector.index);
    this.#device.disown(vector);
    if (this.#vectors.size === 0) this.#allocated = 0;
    return true;
  }

  #range(which: number | EnableOptions): { start: number; count: number; counts: boolean } {
    const { name, count: available } = this.info;
    if (available === 0) throw unsupportedError(`${this.#device.address} has no ${name}`);
    const given =
      typeof which === 'number'
        ? { count: which }
        : checkOptions(which as EnableOptions | undefined, 'which', ['start', 'count', 'counts']);
    const { start: first = 0 } = given;
    const start = integer(first, `start (the first ${name} vector)`, 0, available - 1);
    const count = integer(
      given.count,
      `count (of ${name} vectors, the device has ${available})`,
      1,
      available - start,
    );
    return { start, count, counts: readCounts(given.counts) };
  }

  #checkFree(start: number, count: number): void {
    this.#device.checkInterruptKind(this.info);
    for (let i = start; i < start + count; i++) {
      if (!this.#vectors.has(i)) continue;
      throw busyError(
        `${this.info.name} vector ${i} of ${this.#device.address} is enabled already`,
        `enable others, or disable it first; vector(${i}) returns it`,
      );
    }
  }

  #context(doing: string): { doing: string; address: string } {
    return { doing: `${doing} ${this.info.name}`, address: this.#device.address };
  }
}
