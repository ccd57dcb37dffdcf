import { EventFd } from '../eventfd';
import { hold, listen, release } from '../irq/dispatcher';
import { Feature, type Features } from './features';

/**
 * Runtime power management of a device by its user (kernel 6.1): it sleeps in the deepest state the platform has, until
 * it is accessed through its file, or woken.
 *
 * While it sleeps, mapped BARs must not be touched: they read all-ones.
 */
export class LowPower {
  readonly #features: Features;

  /** @internal */
  constructor(features: Features) {
    this.#features = features;
  }

  /** Lets the device sleep (`LOW_POWER_ENTRY`). Any access through its file wakes it and lets it sleep again after. */
  enter(): void {
    this.#features.set(Feature.LowPowerEntry, new Uint8Array(0));
  }

  /**
   * Lets the device sleep until something wakes it (`LOW_POWER_ENTRY_WITH_WAKEUP`): the device itself by a wake event, or
   * an access through its file. It stays awake then.
   *
   * @returns fulfilled when it was woken; keeps the process alive until then
   */
  async sleep(): Promise<void> {
    const eventfd = new EventFd();
    let stop: (() => void) | undefined;
    hold();
    try {
      const woken = new Promise<void>(resolve => {
        stop = listen(eventfd, () => resolve(), true);
      });
      // struct vfio_device_low_power_entry_with_wakeup: wakeup_eventfd, reserved
      this.#features.set(
        Feature.LowPowerEntryWithWakeup,
        new Uint8Array(Int32Array.of(eventfd.fd, 0).buffer),
      );
      await woken;
    } finally {
      stop?.();
      release();
      eventfd.close();
    }
  }

  /** Wakes the device and keeps it awake (`LOW_POWER_EXIT`). */
  exit(): void {
    this.#features.set(Feature.LowPowerExit, new Uint8Array(0));
  }
}
