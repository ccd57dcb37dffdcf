import type { Device } from './device';
import { attempt } from './errors/explain';
import { EventFd } from './eventfd';
import { native } from './native';
import type { Region } from './region';
import { checkOffset, type Width } from './registers';
import { address64, hex, rangeError, valueError } from './validate';

/** A register write that the kernel performs whenever an eventfd is signalled (`VFIO_DEVICE_IOEVENTFD`). */
export class IoEventFd implements Disposable {
  readonly region: Region;
  /** Where in the region it writes. */
  readonly offset: number;
  /** Bits. */
  readonly width: 8 | 16 | 32 | 64;
  /** What it writes. */
  readonly value: bigint;
  readonly #device: Device;
  readonly #eventfd: EventFd;
  readonly #register: (eventfd: EventFd | undefined) => void;

  /** @internal */
  constructor(device: Device, region: Region, offset: number, width: 8 | 16 | 32 | 64, value: bigint) {
    this.region = region;
    this.offset = offset;
    this.width = width;
    this.value = value;
    this.#device = device;
    const bytes = (width / 8) as Width;
    const context = {
      doing: `Setting an ioeventfd of ${width} bits at ${region.name}+${hex(offset)}`,
      address: device.address,
    };
    this.#register = eventfd =>
      attempt(context, () =>
        native().ioEventFd(
          device.handle,
          region.info.fileOffset + offset,
          bytes,
          value,
          eventfd?.handle ?? null,
        ),
      );
    this.#eventfd = new EventFd();
    try {
      this.#register(this.#eventfd);
    } catch (error) {
      this.#eventfd.close();
      throw error;
    }
  }

  /** The eventfd, to hand to whoever shall ring it. */
  get fd(): number {
    return this.#eventfd.fd;
  }

  get closed(): boolean {
    return this.#eventfd.closed;
  }

  /** Signals the eventfd: the write has happened when this returns, unless the kernel had to defer it. */
  trigger(): void {
    this.#eventfd.signal();
  }

  /** Takes the registration back. Closing the device does too. Does nothing the second time. */
  close(): void {
    if (this.#eventfd.closed) return;
    try {
      if (!this.#device.closed) this.#register(undefined);
    } finally {
      this.#eventfd.close();
      this.#device.disown(this);
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Checks the arguments of `region.ioeventfd()` and registers it. */
export function createIoEventFd(
  device: Device,
  region: Region,
  offset: number,
  width: number,
  value: number | bigint,
): IoEventFd {
  if (width !== 8 && width !== 16 && width !== 32 && width !== 64) {
    throw valueError('width', '8, 16, 32 or 64 (bits)', width);
  }
  checkOffset(offset, (width / 8) as Width, region.size, region.name);
  const bits = address64(value, 'value');
  if (bits >> BigInt(width) !== 0n) throw rangeError('value', `from 0 to 2^${width} - 1`, value);
  const ioEventFd = new IoEventFd(device, region, offset, width, bits);
  device.adopt(ioEventFd);
  return ioEventFd;
}
