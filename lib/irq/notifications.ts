import type { Device } from '../device';
import { attempt } from '../errors/explain';
import { VfioError } from '../errors/vfio-error';
import { EventFd } from '../eventfd';
import { native } from '../native';
import { listen } from './dispatcher';
import { IrqIndex } from './irq-info';

/**
 * The two interrupts that the kernel raises about a device rather than the device itself: ERR (an uncorrectable PCI
 * error) and REQ (the kernel wants the device back). They are armed for every device and do not keep the process alive.
 */
export class Notifications {
  readonly #device: Device;
  readonly #armed: (() => void)[] = [];
  #asked = false;
  #deadline: NodeJS.Timeout | undefined;

  constructor(device: Device) {
    this.#device = device;
  }

  arm(): void {
    try {
      this.#arm(IrqIndex.Err, () => this.#onError());
      this.#arm(IrqIndex.Req, () => this.#onRequest());
    } catch (error) {
      this.disarm();
      throw error;
    }
  }

  /** The device's file is about to close, which ends them in the kernel. */
  disarm(): void {
    clearTimeout(this.#deadline);
    for (const end of this.#armed.splice(0)) end();
  }

  #arm(index: number, listener: () => void): void {
    const device = this.#device;
    const { count, name } = device.irq(index);
    if (count === 0) return;
    const eventfd = new EventFd();
    this.#armed.push(() => eventfd.close());
    attempt({ doing: `Arming ${name}`, address: device.address }, () =>
      native().irqSetEventFds(device.handle, index, 0, [eventfd.handle]),
    );
    // The loop must let go before the eventfd closes, so its end goes in front.
    this.#armed.unshift(listen(eventfd, listener, true));
  }

  #onError(): void {
    const error = new VfioError(`${this.#device.address} reported an uncorrectable PCI error`, {
      code: 'ERR_VFIO_DEVICE_ERROR',
      address: this.#device.address,
      likelyCause: 'the kernel log has the details (AER)',
      cure: 'stop using it; reset or close it',
    });
    if (this.#device.listenerCount('error') > 0) this.#device.emit('error', error);
    else process.emitWarning(error);
  }

  /** The kernel asks again every ten seconds until the device is released; that is one request. */
  #onRequest(): void {
    if (this.#asked) return;
    this.#asked = true;
    const device = this.#device;
    if (device.listenerCount('release-request') === 0) {
      this.#release();
      return;
    }
    // Before its listeners, one of which may throw.
    this.#deadline = deadline(device.releaseTimeoutMs, () => this.#overdue());
    device.emit('release-request');
  }

  #overdue(): void {
    const { address, releaseTimeoutMs } = this.#device;
    process.emitWarning(
      new VfioError(
        `${address} is closed now: the kernel wants it back, and its user had ${releaseTimeoutMs} ms`,
        {
          code: 'ERR_VFIO_TIMEOUT',
          address,
          likelyCause: "a listener of 'release-request' did not close it",
          cure: 'close it sooner, or raise its releaseTimeoutMs',
        },
      ),
    );
    this.#release();
  }

  #release(): void {
    this.#device.close().catch((error: unknown) => process.emitWarning(error as Error));
  }
}

/** Calls `late` when that time has passed, unless the process has ended by then. */
function deadline(milliseconds: number, late: () => void): NodeJS.Timeout | undefined {
  return milliseconds === Infinity ? undefined : setTimeout(late, milliseconds).unref();
}
