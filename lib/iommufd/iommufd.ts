import type { Device } from '../device';
import type { Dma } from '../dma/dma';
import { attempt } from '../errors/explain';
import { closedError } from '../errors/vfio-error';
import { native } from '../native';
import type { IommufdHandle } from '../native-iommufd';
import { parseDeviceName } from '../device-name';
import { runAsync, runSync, type Steps } from '../steps';
import { Users } from '../users';
import { boolean, instanceOf, options as checkOptions, typeError } from '../validate';
import { openCdevSteps } from './cdev';
import { hwInfo, type HwInfo, type HwInfoOptions } from './hw-info';
import { Ioas } from './ioas';

/** `IOMMU_OPTION_*` */
export const IommuOption = Object.freeze({ RlimitMode: 0, HugePages: 1 });

/** What belongs to an iommufd and ends before it. */
interface Child {
  close(): void;
  /** What it is over, and how messages call it, if it keeps an address space from being closed. */
  readonly over?: { readonly dma: Dma; readonly title: string };
}

/** Options of {@link Iommufd.openDevice}. */
export interface CdevOptions {
  /** The VF token, a UUID, that the owner of the physical function set; kernel 6.17. */
  vfToken?: string;
  /**
   * Opens a device that no IOMMU guards (kernel 7.3): it can read and write all memory of the machine. What it is attached
   * to only pins memory; the addresses it uses are physical: {@link Ioas.physicalAddress}. Needs CAP_SYS_RAWIO. Default
   * false: never by accident.
   */
  noIommu?: boolean;
}

/**
 * The IOMMU as the kernel offers it since 6.2 (`/dev/iommu`): address spaces ({@link Ioas}) that devices are attached to,
 * and moved between, without groups and containers. Devices enter by their own node, `/dev/vfio/devices/vfioN` (6.6).
 *
 * `Device.open()` uses it by itself where the kernel has it.
 */
export class Iommufd implements Disposable {
  static readonly path = '/dev/iommu';

  #handle: IommufdHandle | undefined;
  readonly #children = new Set<Child>();
  readonly #users = new Users();
  readonly #devices = new Set<Device>();
  #closing = false;

  private constructor() {
    this.#handle = attempt({ doing: 'Opening the iommufd', path: Iommufd.path }, () =>
      native().iommufdOpen(Iommufd.path),
    );
  }

  /**
   * @throws VfioError `ENOENT` on kernels before 6.2 or built without it, `EACCES` when this user may not
   */
  static open(): Iommufd {
    return new Iommufd();
  }

  /** @internal */
  get users(): Users {
    return this.#users;
  }

  /** @internal */
  get handle(): IommufdHandle {
    if (this.#handle === undefined) throw closedError('The iommufd');
    return this.#handle;
  }

  get closed(): boolean {
    return this.#handle === undefined;
  }

  /** @internal */
  assertOpen(): void {
    if (this.closed) throw closedError('The iommufd');
  }

  /** The devices bound to it. */
  get devices(): readonly Device[] {
    return [...this.#devices];
  }

  /** A new, empty I/O address space (`IOMMU_IOAS_ALLOC`). */
  allocIoas(): Ioas {
    const ioas = new Ioas(this);
    this.#children.add(ioas);
    return ioas;
  }

  /**
   * Opens a device by its cdev and binds it to this iommufd (`VFIO_DEVICE_BIND_IOMMUFD`). Its registers and interrupts
   * can be used after that; for DMA it must be attached: `device.attach(ioas)`.
   *
   * @throws VfioError `EBUSY` when the device's group is open the old way, `ENOENT` without a cdev (kernel 6.6)
   */
  async openDevice(address: string, options?: CdevOptions): Promise<Device> {
    return runAsync(this.openDeviceSteps(parseDeviceName(address), options));
  }

  /** {@link openDevice}, blocking. */
  openDeviceSync(address: string, options?: CdevOptions): Device {
    return runSync(this.openDeviceSteps(parseDeviceName(address), options));
  }

  /** @internal */
  openDeviceSteps(address: string, options?: CdevOptions): Steps<Device> {
    return openCdevSteps(this, address, checkOptions(options, 'options', ['vfToken', 'noIommu']));
  }

  /**
   * Whom pinned memory is charged to (`IOMMU_OPTION_RLIMIT_MODE`): the user (`false`, the default) or this process, as
   * containers do (`true`). With CAP_IPC_LOCK nobody is charged. To be set before the iommufd has any address space or
   * device; needs CAP_SYS_RESOURCE.
   */
  get chargeProcess(): boolean {
    return this.option(IommuOption.RlimitMode, 0) !== 0n;
  }
  set chargeProcess(on: boolean) {
    this.setOption(IommuOption.RlimitMode, 0, boolean(on, 'chargeProcess') ? 1n : 0n);
  }

  /**
   * The address space that a container over this iommufd uses (`IOMMU_VFIO_IOAS`): its id. The kernel makes one when it
   * is first needed.
   *
   * @throws VfioError `ENODEV` when there is none
   */
  compatIoasId(): number {
    return this.#compat('Asking for', 0, 0);
  }

  /** Makes a container over this iommufd use that address space. */
  setCompatIoas(ioas: Ioas): void {
    if (instanceOf(ioas, Ioas, 'ioas').iommufd !== this)
      throw typeError('ioas', 'an Ioas of this iommufd', ioas);
    this.#compat('Setting', 1, ioas.id);
  }

  /** Takes that choice back. */
  clearCompatIoas(): void {
    this.#compat('Clearing', 2, 0);
  }

  /**
   * Charges the pinned memory to the process that calls it, after the iommufd was passed on (`IOMMU_IOAS_CHANGE_PROCESS`,
   * kernel 6.13). Only for address spaces whose mappings are all of files.
   */
  changeProcess(): void {
    const since = { what: 'IOMMU_IOAS_CHANGE_PROCESS', kernel: '6.13' };
    attempt({ doing: 'Changing the process of the iommufd', path: Iommufd.path, since }, () =>
      native().iommufdChangeProcess(this.handle),
    );
  }

  /** What the IOMMU of a device can do (`IOMMU_GET_HW_INFO`, kernel 6.6). */
  hwInfo(device: Device, options?: HwInfoOptions): HwInfo {
    return hwInfo(this, device, options);
  }

  /** @internal `IOMMU_OPTION` */
  option(option: number, objectId: number): bigint {
    return attempt({ doing: 'Reading an IOMMU option', path: Iommufd.path }, () =>
      native().iommufdOption(this.handle, option, 1, objectId, 0n),
    );
  }

  /** @internal */
  setOption(option: number, objectId: number, value: bigint): void {
    attempt({ doing: 'Setting an IOMMU option', path: Iommufd.path }, () =>
      native().iommufdOption(this.handle, option, 0, objectId, value),
    );
  }

  #compat(verb: string, operation: number, id: number): number {
    return attempt({ doing: `${verb} the address space of the compatibility mode`, path: Iommufd.path }, () =>
      native().iommufdVfioIoas(this.handle, operation, id),
    );
  }

  /** @internal */
  adoptDevice(device: Device): void {
    this.#devices.add(device);
  }

  /** @internal */
  forget(device: Device): void {
    this.#devices.delete(device);
  }

  /** @internal Closes it before this closes. */
  adopt(child: Child): void {
    this.#children.add(child);
  }

  /** @internal */
  disown(child: Child): void {
    this.#children.delete(child);
  }

  /** @internal What keeps an address space from being closed. */
  usersOf(dma: Dma): string[] {
    const devices = this.devices.filter(device => device.attached?.dma === dma);
    const tables = [...this.#children].flatMap(({ over }) => (over?.dma === dma ? [over.title] : []));
    return [...devices.map(device => `device ${device.address}`), ...tables];
  }

  /** @internal `IOMMU_DESTROY` */
  destroy(what: string, id: number): void {
    // The kernel destroys everything with the file, whoever may still be using it.
    if (this.#closing) return;
    attempt({ doing: `Destroying ${what}`, path: Iommufd.path }, () =>
      native().iommufdDestroy(this.handle, id),
    );
  }

  /**
   * Closes its devices, its address spaces and what hangs on them, then itself. Does nothing the second time.
   *
   * @throws VfioError `ERR_VFIO_BUSY` while a device of it is being reset
   */
  close(): void {
    const handle = this.#handle;
    if (handle === undefined) return;
    for (const device of this.#devices) device.closeSync();
    this.#closing = true;
    for (const child of [...this.#children].reverse()) child.close();
    this.#handle = undefined;
    native().iommufdClose(handle);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
