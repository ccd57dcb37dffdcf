import type { Device } from '../device';
import { busyError, closedError, VfioError } from '../errors/vfio-error';
import { EventFd } from '../eventfd';
import { hold, listen, release } from '../irq/dispatcher';
import { Feature, type Features } from './features';

/**
 * Runtime power management of a device by its user (kernel 6.1): it sleeps in the deepest state the platform has, until
 * it is accessed through its file, or woken. `power/runtime_status` in sysfs tells whether it sleeps by now.
 *
 * While it may sleep, mapped BARs must not be touched: they read all-ones, until it is awake for good.
 */
export class LowPower {
  readonly #device: Device;
  readonly #features: Features;
  /** Ends the pending {@link sleep}; with an error, or because the device was woken. */
  #wake: ((error?: VfioError) => void) | undefined;

  /** @internal */
  constructor(device: Device, features: Features) {
    this.#device = device;
    this.#features = features;
  }

  /**
   * Lets the device sleep (`LOW_POWER_ENTRY`). Any access through its file wakes it and lets it sleep again after.
   *
   * @throws VfioError `ERR_VFIO_BUSY` when it may sleep already
   */
  enter(): void {
    this.#enter(Feature.LowPowerEntry, new Uint8Array(0));
  }

  /**
   * Lets the device sleep until something wakes it (`LOW_POWER_ENTRY_WITH_WAKEUP`): the device itself by a wake event, or
   * an access through its file. It stays awake then.
   *
   * @returns fulfilled when it was woken, or by {@link exit}; rejected with `ERR_VFIO_CLOSED` when the device is closed.
   *   Keeps the process alive until then
   * @throws VfioError (by the promise) `ERR_VFIO_BUSY` when it may sleep already
   */
  async sleep(): Promise<void> {
    // The kernel would take the question for an access, wake the device and let it sleep anew.
    if (this.#wake !== undefined) throw this.#asleep();
    const eventfd = new EventFd();
    const closing = { close: () => this.#wake?.(closedError(`Device ${this.#device.address}`)) };
    let stop: (() => void) | undefined;
    hold();
    try {
      const woken = new Promise<void>((resolve, reject) => {
        stop = listen(eventfd, () => resolve(), true);
        // struct vfio_device_low_power_entry_with_wakeup: wakeup_eventfd, reserved
        const payload = new Uint8Array(Int32Array.of(eventfd.fd, 0).buffer);
        this.#enter(Feature.LowPowerEntryWithWakeup, payload);
        this.#wake = error => (error === undefined ? resolve() : reject(error));
        this.#device.adopt(closing);
      });
      await woken;
      this.#device.barMemory.revive();
    } finally {
      this.#wake = undefined;
      this.#device.disown(closing);
      stop?.();
      release();
      eventfd.close();
    }
  }

  /** Wakes the device and keeps it awake (`LOW_POWER_EXIT`). Does nothing when it is awake. */
  exit(): void {
    this.#features.set(Feature.LowPowerExit, new Uint8Array(0));
    this.#device.barMemory.revive();
    // The kernel signals only what really slept by then.
    this.#wake?.();
  }

  #enter(feature: number, payload: Uint8Array): void {
    if (this.#wake !== undefined) throw this.#asleep();
    try {
      this.#features.set(feature, payload);
    } catch (error) {
      if (!(error instanceof VfioError) || error.code !== 'EINVAL') throw error;
      throw this.#asleep();
    }
  }

  #asleep(): VfioError {
    return busyError(`${this.#device.address} is let sleep already`, 'lowPower.exit() first');
  }
}
