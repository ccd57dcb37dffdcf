import { attempt, attemptStep } from './errors/explain';
import { noIommuGroup } from './errors/facts';
import { closedError, busyError, VfioError } from './errors/vfio-error';
import { native, type DeviceHandle, type GroupHandle } from './native';
import { parseDeviceName } from './device-name';
import { consentToNoIommu } from './no-iommu';
import { noDeviceError } from './pci/list';
import { deviceExists, driverOf, groupMembers, groupOf, membersInTheWay } from './pci/sysfs';
import { runAsync, runSync, type Steps } from './steps';
import { Users } from './users';
import { parseUuid } from './uuid';
import { boolean, integer, options as checkOptions } from './validate';
import type { Container } from './container';
import { Device } from './device';

/** A device of an IOMMU group. */
export interface GroupMember {
  readonly address: string;
  /** The driver it is bound to, if any. */
  readonly driver: string | undefined;
  /** Whether that driver keeps userspace out of the whole group. */
  readonly inTheWay: boolean;
}

/** The answer of `VFIO_GROUP_GET_STATUS`. */
export interface GroupStatus {
  /** Every member is free for userspace: only then can the group be used. */
  readonly viable: boolean;
  /** The group is attached to a container. */
  readonly containerSet: boolean;
}

/** Options of {@link Group.open}. */
export interface GroupOptions {
  /**
   * Opens a group of a device that no IOMMU guards (`/dev/vfio/noiommu-N`). Such a device can read and write all memory
   * of the machine, by a bug of its driver or by itself; the kernel marks itself tainted. Needs CAP_SYS_RAWIO and a kernel
   * with `vfio.enable_unsafe_noiommu_mode=1`. Default false: never by accident.
   */
  noIommu?: boolean;
}

/** Options of {@link Group.openDevice}. */
export interface GroupDeviceOptions {
  /** The VF token, a UUID, that the owner of the physical function set: needed for its virtual functions (kernel 5.7). */
  vfToken?: string;
}

const flags = { viable: 1, containerSet: 2 } as const;

/**
 * An IOMMU group: the smallest set of devices the IOMMU can tell apart, and so the unit of ownership. Behind it stands
 * `/dev/vfio/N`, which only one holder at a time may have open.
 *
 * Most people never meet it: `Device.open()` opens the group, and shares it between devices. Use it to put several
 * groups into one {@link Container}, or to keep the order of things in your own hands.
 */
export class Group implements Disposable {
  /** Groups this environment has open, by number: devices of one group share the one file the kernel allows. */
  static readonly #open = new Map<number, Group>();

  /** The group's number, as under /sys/kernel/iommu_groups. */
  readonly id: number;
  /** `'/dev/vfio/12'`, or `'/dev/vfio/noiommu-12'` */
  readonly path: string;
  /** Whether it is a no-IOMMU group: see {@link GroupOptions.noIommu}. */
  readonly noIommu: boolean;
  #handle: GroupHandle | undefined;
  #container: Container | undefined;
  readonly #users = new Users();
  readonly #devices = new Set<Device>();
  /** Addresses of devices that are being opened. */
  readonly #opening = new Set<string>();

  private constructor(id: number, noIommu: boolean) {
    this.id = id;
    this.noIommu = noIommu;
    this.path = groupPath(id, noIommu);
    this.#handle = attempt({ doing: `Opening group ${id}`, path: this.path, groupId: id }, () =>
      native().groupOpen(this.path),
    );
    Group.#open.set(id, this);
  }

  /**
   * Opens a group by its number, or the group of the device at a PCI address.
   *
   * @throws VfioError `EBUSY` when it is open elsewhere, `ENOENT` when no device of it is bound to vfio-pci, `EACCES`
   *   when this user may not, `ERR_VFIO_NO_IOMMU` when the device has no group, `ERR_VFIO_BUSY` when this process has it
   */
  static open(which: number | string, options?: GroupOptions): Group {
    const id =
      typeof which === 'string'
        ? groupNumber(parseDeviceName(which, 'which'))
        : integer(which, 'which', 0, 2 ** 31 - 1);
    const { noIommu = false } = checkOptions(options, 'options', ['noIommu']);
    boolean(noIommu, 'options.noIommu');
    consentToNoIommu(`Group ${id}`, groupPath(id, noIommu), noIommuGroup(id), noIommu);
    if (Group.#open.has(id)) {
      throw busyError(
        `Group ${id} is open already in this process`,
        'share that Group: the kernel lets it be opened once',
      );
    }
    return new Group(id, noIommu);
  }

  /** @internal The group of that number if this environment has it open. */
  static find(id: number): Group | undefined {
    return Group.#open.get(id);
  }

  /** @internal */
  get users(): Users {
    return this.#users;
  }

  /** @internal */
  get handle(): GroupHandle {
    if (this.#handle === undefined) throw closedError(`Group ${this.id}`);
    return this.#handle;
  }

  /** Tells a group from what merely has its prototype. */
  static [Symbol.hasInstance](value: unknown): value is Group {
    return typeof value === 'object' && value !== null && #handle in value;
  }

  get closed(): boolean {
    return this.#handle === undefined;
  }

  /** The container it is attached to. */
  get container(): Container | undefined {
    return this.#container;
  }

  /** The devices of it that are open now. */
  get devices(): readonly Device[] {
    return [...this.#devices];
  }

  /** `VFIO_GROUP_GET_STATUS`. */
  status(): GroupStatus {
    const bits = attempt(this.#context('Asking for the status'), () => native().groupGetStatus(this.handle));
    return Object.freeze({
      viable: (bits & flags.viable) !== 0,
      containerSet: (bits & flags.containerSet) !== 0,
    });
  }

  /** All devices of the group, and which of them stand in the way of using it. */
  members(): GroupMember[] {
    const blocked = new Set(membersInTheWay(this.id).map(one => one.address));
    return groupMembers(this.id).map(address =>
      Object.freeze({ address, driver: driverOf(address), inTheWay: blocked.has(address) }),
    );
  }

  /**
   * Opens a device of this group. The group must be in a container whose IOMMU is set. The kernel resets the device here
   * if it can (about 25 ms) and clears bus mastering.
   *
   * @throws VfioError `ERR_VFIO_BUSY` when this process has it open, else with the likely cause; see
   *   `VFIO_GROUP_GET_DEVICE_FD`
   */
  async openDevice(address: string, options?: GroupDeviceOptions): Promise<Device> {
    return runAsync(this.openDeviceSteps(parseDeviceName(address), options));
  }

  /** {@link Group.openDevice}, blocking. */
  openDeviceSync(address: string, options?: GroupDeviceOptions): Device {
    return runSync(this.openDeviceSteps(parseDeviceName(address), options));
  }

  /** @internal */
  *openDeviceSteps(address: string, options?: GroupDeviceOptions): Steps<Device> {
    const { vfToken } = checkOptions(options, 'options', ['vfToken']);
    if (vfToken !== undefined) parseUuid(vfToken, 'options.vfToken');
    const group = this.handle;
    const container = this.#container;
    if (container?.iommuType === undefined) {
      throw new VfioError(`Cannot open ${address}: group ${this.id} has no IOMMU yet`, {
        code: 'ERR_VFIO_NO_IOMMU',
        address,
        cure: 'call container.attach(group) and container.setIommu() first',
      });
    }
    if (this.#opening.has(address) || this.devices.some(device => device.address === address)) {
      throw busyError(
        `${address} is open already in this process`,
        'share that Device, or close it first: closing one would stop the other',
      );
    }
    // The kernel takes the token behind the name (vfio_pci_core_match).
    const name = vfToken === undefined ? address : `${address} vf_token=${vfToken}`;
    const context = { ...this.#context(`Opening ${address}`), address, facts: { vfToken } };
    this.#opening.add(address);
    this.#users.enter();
    let opened = false;
    try {
      const handle = (yield* attemptStep(context, async =>
        native().groupGetDeviceFd(group, name, async),
      )) satisfies DeviceHandle;
      const device = Device.create(handle, address, {
        group: this,
        container,
        forget: gone => {
          this.#devices.delete(gone);
          this.#users.leave();
        },
      });
      this.#devices.add(device);
      opened = true;
      return device;
    } finally {
      this.#opening.delete(address);
      if (!opened) this.#users.leave();
    }
  }

  /** @internal The kernel does not let a group go while it opens a device of it, nor does it say how long that takes. */
  assertNoneOpening(): void {
    const [address] = this.#opening;
    if (address === undefined) return;
    throw busyError(`${address} is being opened`, 'await that before closing its group or container');
  }

  /** @internal `VFIO_GROUP_SET_CONTAINER`; the container keeps the list. */
  join(container: Container): void {
    if (this.#container !== undefined) {
      throw busyError(
        `Group ${this.id} is in a container already`,
        'detach it there first; a group is in one container at a time',
      );
    }
    const { viable } = this.status();
    if (!viable) throw notViableError(this.id);
    attempt(this.#context(`Attaching group ${this.id}`), () =>
      native().groupSetContainer(this.handle, container.handle),
    );
    this.#container = container;
  }

  /** @internal `VFIO_GROUP_UNSET_CONTAINER`. */
  leave(): void {
    try {
      attempt(this.#context(`Detaching group ${this.id}`), () => native().groupUnsetContainer(this.handle));
    } catch (error) {
      // The kernel takes a group out by itself when its last device leaves vfio-pci, which a release request ends in.
      if (!(error instanceof VfioError) || error.code !== 'EINVAL') throw error;
    }
    this.#container = undefined;
  }

  /**
   * Closes its devices, takes it out of its container and closes `/dev/vfio/N`. When it is the container's last group,
   * the container's DMA mappings end with it, so its DMA buffers are freed first. Does nothing the second time.
   *
   * @throws VfioError `ERR_VFIO_BUSY` while a device of it is being opened or reset
   */
  close(): void {
    const handle = this.#handle;
    if (handle === undefined) return;
    this.assertNoneOpening();
    for (const device of this.#devices) device.closeSync();
    this.#container?.detach(this);
    this.#handle = undefined;
    Group.#open.delete(this.id);
    native().groupClose(handle);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #context(doing: string): { doing: string; path: string; groupId: number } {
    return { doing, path: this.path, groupId: this.id };
  }
}

/** The group of a device, or an error that says why there is none. */
export function groupNumber(address: string): number {
  if (!deviceExists(address)) throw noDeviceError(address);
  const group = groupOf(address);
  if (group !== undefined) return group;
  throw new VfioError(`${address} is in no IOMMU group`, {
    code: 'ERR_VFIO_NO_IOMMU',
    address,
    likelyCause: 'this kernel runs without an IOMMU, or the device is not behind it',
    cure: 'turn on VT-d / AMD-Vi in the firmware and boot with intel_iommu=on',
  });
}

function groupPath(id: number, noIommu: boolean): string {
  return noIommu ? `/dev/vfio/noiommu-${id}` : `/dev/vfio/${id}`;
}

function notViableError(id: number): VfioError {
  const others = membersInTheWay(id);
  return new VfioError(`Group ${id} is not viable`, {
    code: 'ERR_VFIO_NOT_VIABLE',
    path: `/dev/vfio/${id}`,
    likelyCause:
      others.length === 0
        ? 'a member of it is in use by the kernel'
        : others.map(one => `${one.address} is on driver ${one.driver}`).join(', '),
    cure: 'bind every member to vfio-pci (bindDevice), or unbind it from its driver',
  });
}
