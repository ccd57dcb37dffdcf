import { EventEmitter } from 'node:events';
import { Attachment, type DeviceParent, type PasidOptions } from './attachment';
import { BarMemory } from './bar-memory';
import type { Container } from './container';
import { type DeviceInfo } from './device-info';
import { enumerate, type Enumerated } from './enumerate';
import { attemptStep } from './errors/explain';
import { busyError, closedError, unsupportedError, VfioError } from './errors/vfio-error';
import type { Dma } from './dma/dma';
import type { Group } from './group';
import { hotResetPlan, hotResetSteps, type HotResetPlan } from './hot-reset';
import type { Iommufd } from './iommufd/iommufd';
import type { PageTable } from './iommufd/page-table';
import { Display } from './display';
import { Features } from './features/features';
import { Intx } from './irq/intx';
import { type IrqInfo, IrqIndex } from './irq/irq-info';
import { MessageInterrupts } from './irq/message-interrupts';
import { Notifications } from './irq/notifications';
import { type DeviceHandle, native } from './native';
import { openSteps, type OpenOptions } from './open';
import { PciConfig } from './pci-config';
import { closeOnExit } from './pci/exit';
import { groupOf } from './pci/sysfs';
import { type Region, RegionIndex } from './region';
import { runAsync, runSync, step, type Steps } from './steps';
import { integer } from './validate';

/** How the kernel says that it knows no way to reset a device. */
const noReset: ReadonlySet<string> = new Set(['EINVAL', 'ENOTTY']);

/** What belongs to a device and ends with it. */
interface Child {
  close(): void;
}

/** What else `Device.open()` opened for this device alone, to be given back when it closes. */
export interface Belongings {
  /** Before the device's file is closed: DMA memory nobody else can reach. */
  unmapDma(): void;
  /** Afterwards: group, container, driver. */
  giveBack(): Steps<void>;
}

/**
 * A device that this process owns: its registers, interrupts and DMA.
 *
 * Opening it makes the kernel reset it where it can, and clears bus mastering: call {@link enableBusMaster} when the
 * driver is ready for DMA and interrupts. Closing it, by whatever way the process ends, turns its interrupts and bus
 * mastering off first; the kernel resets it once more, and it can be opened again at once.
 *
 * @fires error when the device reports an uncorrectable error (PCI AER) and was isolated; without a listener it is a
 *   process warning
 * @fires release-request when the kernel wants the device back (driver unbind, hot unplug), once; without a listener the
 *   device is closed at once, since the kernel waits for that, and with one after {@link releaseTimeoutMs} if it is still open
 * @fires gone when an access to a mapped BAR found that the device does not answer: memory decoding is off, it sleeps, or it
 *   was pulled. Its mappings read all-ones from then on and swallow writes; once, whatever the number of accesses and
 *   mappings
 * @fires back when a write to config space, a reset or `lowPower.exit()` of this device made it answer again: its mappings, and
 *   views of them, are the device again
 * @fires close when it is closed
 */
export class Device
  extends EventEmitter<{ error: [VfioError]; 'release-request': []; gone: []; back: []; close: [] }>
  implements Disposable, AsyncDisposable
{
  /** Its PCI address: `'0000:03:00.0'`; of a mediated device its UUID. */
  readonly address: string;
  /** Its IOMMU group's number; `undefined` when sysfs does not say. */
  readonly groupId: number | undefined;
  readonly info: DeviceInfo;
  /** All regions, by the kernel's index; those the device lacks have size 0. */
  readonly regions: readonly Region[];
  /** All interrupt kinds, by the kernel's index. */
  readonly irqs: readonly IrqInfo[];
  /** The legacy interrupt line. */
  readonly intx: Intx;
  readonly msi: MessageInterrupts;
  readonly msix: MessageInterrupts;
  /** What this device has beyond the basics: migration, DMA logging, sleep, VF tokens, … */
  readonly features: Features;
  /** What it shows, if it is a virtual graphics device. */
  readonly display: Display;
  /** @internal */
  readonly barMemory: BarMemory;
  #handle: DeviceHandle | undefined;
  readonly #parent: DeviceParent;
  readonly #attachment: Attachment;
  readonly #children = new Set<Child>();
  readonly #notifications: Notifications;
  #belongings: Belongings | undefined;
  #resetting: Promise<void> | undefined;
  #releaseTimeoutMs = 10_000;
  #closing: Promise<void> | undefined;

  private constructor(handle: DeviceHandle, address: string, parent: DeviceParent) {
    super();
    this.#handle = handle;
    this.#parent = parent;
    this.#attachment = new Attachment(this, parent);
    this.address = address;
    this.groupId = groupOf(address);
    const { info, regions, irqs }: Enumerated = enumerate(this, handle);
    this.info = info;
    this.regions = regions;
    this.irqs = irqs;
    this.intx = new Intx(this, this.irq(IrqIndex.Intx));
    this.msi = new MessageInterrupts(this, this.irq(IrqIndex.Msi));
    this.msix = new MessageInterrupts(this, this.irq(IrqIndex.Msix));
    this.features = new Features(this);
    this.display = new Display(this);
    this.barMemory = new BarMemory(this);
    this.#notifications = new Notifications(this);
  }

  /**
   * Opens a device by its PCI address, and all that is needed for it: its IOMMU group and a container. Devices of one
   * group opened this way share both.
   *
   * @throws VfioError `ERR_VFIO_NO_DEVICE`, `ERR_VFIO_NO_IOMMU`, `ERR_VFIO_NOT_BOUND` when it is still on another driver,
   *   `ERR_VFIO_NOT_VIABLE` naming the group member in the way, `EBUSY` when it is in use, `EACCES` when this user may
   *   not. Nothing stays open or bound then.
   */
  static open(address: string, options?: OpenOptions): Promise<Device> {
    return runAsync(openSteps(address, options));
  }

  /** {@link Device.open}, blocking (about 30 ms). */
  static openSync(address: string, options?: OpenOptions): Device {
    return runSync(openSteps(address, options));
  }

  /** @internal Takes over a device's file; closes it when anything about it cannot be read. */
  static create(handle: DeviceHandle, address: string, parent: DeviceParent): Device {
    try {
      const device = new Device(handle, address, parent);
      device.#notifications.arm();
      closeOnExit(device);
      return device;
    } catch (error) {
      native().deviceClose(handle, false);
      throw error;
    }
  }

  /**
   * How long the listeners of `'release-request'` may take to close the device, in milliseconds; then it is closed under them,
   * with a warning, so that whoever unbinds or unplugs it does not hang. Default 10,000; `Infinity`: for as long as they like.
   */
  get releaseTimeoutMs(): number {
    return this.#releaseTimeoutMs;
  }
  set releaseTimeoutMs(milliseconds: number) {
    this.#releaseTimeoutMs =
      milliseconds === Infinity ? Infinity : integer(milliseconds, 'releaseTimeoutMs', 0, 2 ** 31 - 1);
  }

  /** @internal */
  own(belongings: Belongings): void {
    this.#belongings = belongings;
  }

  /** @internal */
  get handle(): DeviceHandle {
    if (this.#handle === undefined) throw closedError(`Device ${this.address}`);
    return this.#handle;
  }

  get closed(): boolean {
    return this.#handle === undefined;
  }

  /** @internal */
  assertOpen(): void {
    if (this.closed) throw closedError(`Device ${this.address}`);
  }

  /**
   * The group it was opened by; `undefined` for a device opened by its cdev. One that `Device.open` opened by itself is
   * closed, with its container, when the last device opened by it is.
   */
  get group(): Group | undefined {
    return this.#parent.group;
  }

  /** The container its group is in; `undefined` for a device opened by its cdev. */
  get container(): Container | undefined {
    return this.#parent.container;
  }

  /**
   * The iommufd it is bound to; `undefined` for a device opened by its group. One that `Device.open` opened by itself is
   * closed when the last device opened by it is.
   */
  get iommufd(): Iommufd | undefined {
    return this.#parent.iommufd;
  }

  /** @internal Its id inside the iommufd. */
  get deviceId(): number {
    return this.#attachment.deviceId;
  }

  /** What it is attached to; `undefined` for a device opened by its group, or not attached. */
  get attached(): PageTable | undefined {
    return this.#attachment.attached;
  }

  /**
   * The memory this device can reach, together with the other devices of its container or address space.
   *
   * @throws VfioError `ERR_VFIO_NO_IOMMU` when it was opened by its cdev and is not attached to an address space
   */
  get dma(): Dma {
    return this.#attachment.dma;
  }

  /**
   * Attaches it to an I/O address space or a hardware page table of its iommufd (`VFIO_DEVICE_ATTACH_IOMMUFD_PT`), in
   * place of the one it was attached to, if any, without a gap in between.
   *
   * @throws VfioError `ERR_VFIO_UNSUPPORTED` on a device opened by its group, `EINVAL` when the IOMMU refuses
   */
  attach(target: PageTable, options?: PasidOptions): void {
    this.#attachment.attach(target, options);
  }

  /** Detaches it (`VFIO_DEVICE_DETACH_IOMMUFD_PT`): its DMA faults until it is attached again. */
  detach(options?: PasidOptions): void {
    this.#attachment.detach(options);
  }

  /** Its config space. @throws VfioError `ERR_VFIO_UNSUPPORTED` on what is not a PCI device */
  get config(): PciConfig {
    const config = this.regions[RegionIndex.Config];
    if (config instanceof PciConfig) return config;
    throw unsupportedError(`${this.address} is not a PCI device and has no config space`);
  }

  /** A base address register's region: 0 to 5. A 64-bit BAR takes two numbers, of which the second has size 0. */
  bar(index: number): Region {
    return this.region(integer(index, 'index', 0, 5));
  }

  /** The expansion ROM; size 0 when there is none. */
  get rom(): Region {
    return this.region(RegionIndex.Rom);
  }

  /** The legacy VGA ranges; size 0 when there are none. */
  get vga(): Region {
    return this.region(RegionIndex.Vga);
  }

  /** A region by the kernel's index. */
  region(index: number): Region {
    return this.regions[integer(index, 'index', 0, this.regions.length - 1)] as Region;
  }

  /** An interrupt kind by the kernel's index; one with no vectors where the device lacks it. */
  irq(index: number): IrqInfo {
    const known = this.irqs[integer(index, 'index', 0, 2 ** 31 - 1)];
    const none = {
      index,
      name: `irq ${index}`,
      count: 0,
      eventfd: false,
      maskable: false,
      automasked: false,
      noResize: false,
    };
    return known ?? Object.freeze(none);
  }

  /** Lets the device do DMA and send MSI and MSI-X: `config.busMaster = true`. The kernel cleared it on opening. */
  enableBusMaster(): void {
    this.config.busMaster = true;
  }

  /** Stops the device's DMA and MSI: `config.busMaster = false`. */
  disableBusMaster(): void {
    this.config.busMaster = false;
  }

  /** @internal */
  get busMastering(): boolean {
    return this.info.pci && this.config.busMaster;
  }

  /**
   * Resets the device (`VFIO_DEVICE_RESET`): its registers get their defaults, DMA in flight ends. Config space is
   * saved and restored by the kernel, bus mastering included; mappings, DMA memory and enabled interrupts stay.
   *
   * @throws VfioError `ERR_VFIO_UNSUPPORTED` when the device has no reset of its own, `ERR_VFIO_BUSY` during another
   */
  async reset(): Promise<void> {
    if (this.#resetting !== undefined) throw this.#stillResetting();
    this.#resetting = runAsync(this.#reset());
    try {
      await this.#resetting;
    } finally {
      this.#resetting = undefined;
    }
  }

  /** {@link reset}, blocking (25 ms and more). */
  resetSync(): void {
    if (this.#resetting !== undefined) throw this.#stillResetting();
    runSync(this.#reset());
  }

  *#reset(): Steps<void> {
    const handle = this.handle;
    try {
      // Asked even where `info.reset` says no: mediated devices can be reset without saying so.
      yield* attemptStep({ doing: `Resetting ${this.address}`, address: this.address }, async =>
        native().deviceReset(handle, async),
      );
    } catch (error) {
      if (this.info.reset || !(error instanceof VfioError && noReset.has(error.code))) throw error;
      throw unsupportedError(
        `${this.address} has no reset of its own`,
        "the device's own registers may offer one",
      );
    }
    this.barMemory.revive();
  }

  /**
   * What a hot reset would reset: all devices on the same bus or slot (`VFIO_DEVICE_GET_PCI_HOT_RESET_INFO`). For devices
   * without a reset of their own, or when that is not enough.
   *
   * @throws VfioError `ERR_VFIO_UNSUPPORTED` when there is no such bus or slot: mediated devices, those of the root bus
   */
  hotResetPlan(): HotResetPlan {
    return hotResetPlan(this);
  }

  /**
   * Resets the device together with all others on its bus or slot (`VFIO_DEVICE_PCI_HOT_RESET`). This process must own
   * all of them: see {@link hotResetPlan}.
   *
   * @throws VfioError `EPERM` naming the devices it does not own
   */
  hotReset(): Promise<void> {
    return runAsync(this.#hotReset());
  }

  /** {@link hotReset}, blocking. */
  hotResetSync(): void {
    runSync(this.#hotReset());
  }

  *#hotReset(): Steps<void> {
    yield* hotResetSteps(this);
    this.barMemory.revive();
  }

  #stillResetting(): VfioError {
    return busyError(`${this.address} is being reset`, 'await the promise of reset() first');
  }

  /**
   * Ends the ownership, in this order: interrupts off, bus mastering off, DMA memory unmapped (where no other device
   * shares the container), BAR mappings dead, device, group and container closed, and with `{ bind: true }` the device
   * given back to its driver. Waits for a pending reset. Does nothing the second time.
   */
  close(): Promise<void> {
    this.#closing ??= this.#closeAsync();
    return this.#closing;
  }

  async #closeAsync(): Promise<void> {
    await this.#resetting?.catch(() => undefined);
    await runAsync(this.#close());
  }

  /** {@link close}, blocking (about 30 ms). @throws VfioError `ERR_VFIO_BUSY` while a reset is pending */
  closeSync(): void {
    if (this.#handle === undefined) return;
    if (this.#resetting !== undefined) throw this.#stillResetting();
    this.endSync();
  }

  /** @internal The process is ending: {@link closeSync}, also in the middle of a reset. */
  endSync(): void {
    this.#closing ??= Promise.resolve();
    runSync(this.#close());
  }

  *#close(): Steps<void> {
    const handle = this.#handle;
    if (handle === undefined) return;
    closeOnExit.done(this);
    try {
      native().deviceQuiesce(handle);
      this.#belongings?.unmapDma();
    } finally {
      this.#handle = undefined;
      try {
        this.#notifications.disarm();
        this.barMemory.end();
        for (const child of this.#children) child.close();
      } finally {
        yield* this.#release(handle);
      }
    }
  }

  *#release(handle: DeviceHandle): Steps<void> {
    try {
      yield* step(async => native().deviceClose(handle, async));
    } finally {
      this.#parent.forget(this);
      this.#attachment.end();
      if (this.#belongings !== undefined) yield* this.#belongings.giveBack();
      this.emit('close');
    }
  }

  [Symbol.dispose](): void {
    this.closeSync();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** @internal Closes it when the device closes. */
  adopt(child: Child): void {
    this.#children.add(child);
  }

  /** @internal */
  disown(child: Child): void {
    this.#children.delete(child);
  }

  /** @internal The kernel lets one kind of interrupt be enabled at a time. */
  checkInterruptKind(wanted: IrqInfo): void {
    this.assertOpen();
    const kinds = [
      { info: this.intx.info, enabled: this.intx.enabled !== undefined },
      { info: this.msi.info, enabled: this.msi.enabled.length > 0 },
      { info: this.msix.info, enabled: this.msix.enabled.length > 0 },
    ];
    for (const { info, enabled } of kinds) {
      if (!enabled || info.index === wanted.index) continue;
      throw busyError(
        `${this.address} uses ${info.name}, so ${wanted.name} cannot be enabled`,
        `disable ${info.name} first: a device has one kind of interrupt at a time`,
      );
    }
  }
}
