import type { Device } from './device';
import { attempt } from './errors/explain';
import { EventFd } from './eventfd';
import { listen } from './irq/dispatcher';
import { type EventFdHandle, native } from './native';

const powerManagement = { name: 'Power Management', control: 4, state: 3 } as const;

/**
 * Whether a device answers on its mapped BARs. One whose memory decoding is off, or that sleeps, does not: the native layer
 * then puts dead pages under its mappings, at the first access that finds out. This tells of it, and puts the device back
 * when it answers again.
 */
export class BarMemory {
  readonly #device: Device;
  #eventfd: EventFd | undefined;
  #stop: (() => void) | undefined;
  /** Whether `'gone'` was told and `'back'` was not. */
  #told = false;
  /** Whether it has been put back since. */
  #revived = false;

  constructor(device: Device) {
    this.#device = device;
  }

  /** What a mapping signals when it dies. */
  get signal(): EventFdHandle {
    if (this.#eventfd === undefined) {
      this.#eventfd = new EventFd();
      this.#stop = listen(this.#eventfd, () => this.#tell(), true);
    }
    return this.#eventfd.handle;
  }

  /** To be called after whatever may have made it answer again; does nothing where nothing was dead. */
  revive(): void {
    const device = this.#device;
    if (this.#eventfd === undefined || device.closed) return;
    const { handle, address } = device;
    if (!(this.#told || native().deviceDead(handle)) || !this.#answers()) return;
    attempt({ doing: `Mapping ${address} again`, address }, () => native().deviceRevive(handle));
    // Told on the loop, as its death is, and after that.
    this.#revived = true;
    this.#eventfd.signal();
  }

  /** The device is closing. */
  end(): void {
    this.#stop?.();
    this.#eventfd?.close();
    this.#stop = undefined;
    this.#eventfd = undefined;
  }

  #tell(): void {
    const device = this.#device;
    const wasTold = this.#told;
    const revived = this.#revived;
    // It may have died anew since it was put back.
    const gone = !revived || native().deviceDead(device.handle);
    this.#told = gone;
    this.#revived = false;
    if (!wasTold) device.emit('gone');
    if (!revived) return;
    device.emit('back');
    if (gone) device.emit('gone');
  }

  /** The kernel's own condition for letting an access through. */
  #answers(): boolean {
    if (!this.#device.info.pci) return true;
    const { config } = this.#device;
    if (!config.memoryDecoding) return false;
    const power = config.find(powerManagement.name);
    return (
      power === undefined ||
      (config.read16(power.offset + powerManagement.control) & powerManagement.state) === 0
    );
  }
}
