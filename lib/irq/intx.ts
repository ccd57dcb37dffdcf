import type { Device } from '../device';
import { attempt } from '../errors/explain';
import { busyError, closedError, unsupportedError } from '../errors/vfio-error';
import { EventFd } from '../eventfd';
import { type IrqAction, native } from '../native';
import { boolean, options as checkOptions } from '../validate';
import type { IrqInfo } from './irq-info';
import { IrqVector } from './irq-vector';
import { readCounts } from './options';
import type { VectorOwner } from './vector-owner';

/** Options of {@link Intx.enable}. */
export interface IntxOptions {
  /** Whether events carry how many signals there were. Default true; INTx never coalesces, as it masks itself. */
  counts?: boolean;
  /** Also makes an eventfd that unmasks the line when signalled ({@link Intx.unmaskEventFd}). Default false. */
  unmaskEventFd?: boolean;
}

/**
 * The legacy interrupt line of a device. It is a level, shared with other devices: the kernel masks it when it fires, and
 * it stays masked until {@link acknowledge}. Make the device stop asserting it first, or it fires again at once.
 */
export class Intx implements VectorOwner {
  readonly #device: Device;
  /** What the kernel says about this kind. */
  readonly info: IrqInfo;
  #vector: IrqVector | undefined;
  #unmask: EventFd | undefined;

  /** @internal */
  constructor(device: Device, info: IrqInfo) {
    this.#device = device;
    this.info = info;
  }

  /** Whether the device has one. */
  get available(): boolean {
    return this.info.count > 0;
  }

  /** The line's event source while it is enabled. */
  get enabled(): IrqVector | undefined {
    return this.#vector;
  }

  /**
   * Signals itself to unmask the line, without a system call into VFIO by us: for another process or a virtual machine
   * that does the acknowledging. Only with `enable({ unmaskEventFd: true })`.
   */
  get unmaskEventFd(): EventFd | undefined {
    return this.#unmask;
  }

  /**
   * Enables the line (`VFIO_DEVICE_SET_IRQS`). Closing the returned vector disables it.
   *
   * @throws VfioError `ERR_VFIO_UNSUPPORTED` without INTx, `ERR_VFIO_BUSY` when it or another kind is enabled, `EBUSY` when
   *   the device cannot mask it and the line is shared with a device of the kernel
   */
  enable(options?: IntxOptions): IrqVector {
    const { counts, unmaskEventFd = false } = checkOptions(options, 'options', ['counts', 'unmaskEventFd']);
    boolean(unmaskEventFd, 'options.unmaskEventFd');
    const counting = readCounts(counts);
    if (!this.available) throw unsupportedError(`${this.#device.address} has no INTx`);
    this.#device.checkInterruptKind(this.info);
    if (this.#vector !== undefined)
      throw busyError(`INTx of ${this.#device.address} is enabled already`, 'close it first');
    const vector = new IrqVector(this.#device, this, 0, counting);
    this.#vector = vector;
    this.#device.adopt(vector);
    try {
      attempt(this.#context('Enabling'), () =>
        native().irqSetEventFds(this.#device.handle, this.info.index, 0, [vector.eventfd.handle]),
      );
      if (unmaskEventFd) this.#setUnmaskEventFd();
    } catch (error) {
      vector.close();
      throw error;
    }
    return vector;
  }

  /** Holds the line back. */
  mask(): void {
    this.#action('mask');
  }

  /** Lets the line through again; it fires at once if the device still asserts it. */
  unmask(): void {
    this.#action('unmask');
  }

  /** Ends the automatic masking of the last interrupt: to be called by its handler when the device is served. */
  acknowledge(): void {
    this.#action('unmask');
  }

  /** Disables the line, if it is enabled. */
  disable(): void {
    this.#vector?.close();
  }

  /** @internal */
  release(vector: IrqVector): void {
    if (this.#vector !== vector) return;
    this.#vector = undefined;
    this.#device.disown(vector);
    this.#unmask?.close();
    this.#unmask = undefined;
    if (this.#device.closed) return;
    attempt(this.#context('Disabling'), () => native().irqDisable(this.#device.handle, this.info.index));
  }

  #setUnmaskEventFd(): void {
    const eventfd = new EventFd();
    this.#unmask = eventfd;
    attempt(this.#context('Setting an unmask eventfd for'), () =>
      native().irqSetUnmaskEventFd(this.#device.handle, this.info.index, eventfd.handle),
    );
  }

  #action(action: IrqAction): void {
    if (this.#vector === undefined) throw closedError(`INTx of ${this.#device.address}`);
    attempt(this.#context(`To ${action}`), () =>
      native().irqAction(this.#device.handle, this.info.index, action, 0, 1),
    );
  }

  #context(doing: string): { doing: string; address: string } {
    return { doing: `${doing} INTx`, address: this.#device.address };
  }
}
