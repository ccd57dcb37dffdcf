import type { Device } from '../device';
import { attempt, attemptStep, type Context, isSystemError } from '../errors/explain';
import { kernelIsAtLeast, kernelRelease } from '../errors/facts';
import { unsupportedError } from '../errors/vfio-error';
import { native } from '../native';
import type { Region } from '../region';
import { runAsync } from '../steps';
import { parseUuid } from '../uuid';
import { boolean, bytes, hex, integer } from '../validate';
import { checkDmaBufRange, type DmaBuf, exportDmaBuf } from './dma-buf';
import { DmaLogging } from './dma-logging';
import { LowPower } from './low-power';
import { Migration } from './migration';

/** `VFIO_DEVICE_FEATURE_*` by number, with the kernel that brought each. */
export const Feature = Object.freeze({
  /** 5.7 */
  PciVfToken: 0,
  /** 5.18 */
  Migration: 1,
  /** 5.18 */
  MigrationDeviceState: 2,
  /** 6.1 */
  LowPowerEntry: 3,
  /** 6.1 */
  LowPowerEntryWithWakeup: 4,
  /** 6.1 */
  LowPowerExit: 5,
  /** 6.1 */
  DmaLoggingStart: 6,
  /** 6.1 */
  DmaLoggingStop: 7,
  /** 6.1 */
  DmaLoggingReport: 8,
  /** 6.2 */
  MigrationDataSize: 9,
  /** 6.7 */
  BusMaster: 10,
  /** 6.19 */
  DmaBuf: 11,
  /** 7.1 */
  MigrationPrecopyInfoV2: 12,
  /** 7.3, of s390 */
  ZpciError: 13,
});

/** The kernels that brought them. The first is older than anything the library runs on. */
const since: Partial<Record<number, string>> = {
  [Feature.Migration]: '5.18',
  [Feature.MigrationDeviceState]: '5.18',
  [Feature.LowPowerEntry]: '6.1',
  [Feature.LowPowerEntryWithWakeup]: '6.1',
  [Feature.LowPowerExit]: '6.1',
  [Feature.DmaLoggingStart]: '6.1',
  [Feature.DmaLoggingStop]: '6.1',
  [Feature.DmaLoggingReport]: '6.1',
  [Feature.MigrationDataSize]: '6.2',
  [Feature.BusMaster]: '6.7',
  [Feature.DmaBuf]: '6.19',
  [Feature.MigrationPrecopyInfoV2]: '7.1',
  [Feature.ZpciError]: '7.3',
};
/** Features whose payload holds addresses of this process, or whose answer is a file: no bytes from outside may be either. */
const notRaw: Partial<Record<number, string>> = {
  [Feature.DmaLoggingStart]: 'device.features.dmaLogging.start()',
  [Feature.DmaLoggingReport]: 'device.features.dmaLogging.report()',
  [Feature.DmaBuf]: 'device.features.exportDmaBuf()',
  [Feature.ZpciError]: 'the tools of s390',
};
const names = new Map<number, string>(Object.entries(Feature).map(([name, id]) => [id, name]));

/** What a probe found out about a feature. */
export interface FeatureSupport {
  readonly id: number;
  /** `'Migration'`, …, or `'feature 0xe'` for one this version of the library does not know. */
  readonly name: string;
  /** It can be read. */
  readonly get: boolean;
  /** It can be written. */
  readonly set: boolean;
}

const bit = { get: 1 << 16, set: 1 << 17, probe: 1 << 18 } as const;
/** How far a probe looks: beyond what is known today, so that a newer kernel's features show up by number. */
const probed = 32;

/**
 * Features that some devices have (`VFIO_DEVICE_FEATURE`, kernel 5.7): each can be probed without harm.
 */
export class Features {
  readonly #device: Device;
  #lowPower: LowPower | undefined;

  /** @internal */
  constructor(device: Device) {
    this.#device = device;
  }

  /** All features of this device on this kernel, known to the library or not. */
  list(): readonly FeatureSupport[] {
    return Object.freeze(
      Array.from({ length: probed }, (_, id) => ({
        id,
        name: nameOf(id),
        get: this.#probe(id, bit.get),
        set: this.#probe(id, bit.set),
      })).filter(one => one.get || one.set),
    );
  }

  /** Whether the device has a feature, by its number in {@link Feature}. */
  has(id: number): boolean {
    integer(id, 'id', 0, 0xffff);
    return this.#probe(id, bit.get) || this.#probe(id, bit.set);
  }

  /**
   * Reads a feature in the kernel's own format, for those without a method here. Of a feature that the library does not
   * know, look first whether its payload holds an address: the kernel would write there.
   *
   * @param payload what follows `struct vfio_device_feature`, as the feature defines it
   * @returns the payload as the kernel filled it in
   * @throws VfioError `ERR_VFIO_UNSUPPORTED` for features known to hold addresses, or to answer with a file
   */
  get(id: number, payload: Uint8Array): Uint8Array {
    return this.read(checkRaw(id), bytes(payload, 'payload'));
  }

  /** Writes a feature in the kernel's own format; see {@link get}. */
  set(id: number, payload: Uint8Array): void {
    this.#call(checkRaw(id) | bit.set, bytes(payload, 'payload'));
  }

  /** @internal Reads any feature. */
  read(id: number, payload: Uint8Array): Uint8Array {
    return this.#call(id | bit.get, payload).payload;
  }

  /** @internal Writes a feature, and returns what the kernel left in the payload. */
  exchange(id: number, payload: Uint8Array): Uint8Array {
    return this.#call(id | bit.set, payload).payload;
  }

  /** @internal Writes a feature that may take its time, and returns what the kernel left in the payload. */
  async setAsync(id: number, payload: Uint8Array): Promise<Uint8Array> {
    const { handle } = this.#device;
    const work = attemptStep(this.#context('Setting', id), async =>
      native().deviceFeature(handle, id | bit.set, payload, async),
    );
    return (await runAsync(work)).payload;
  }

  /**
   * Sets the token that whoever opens a virtual function of this physical function must know: a shared secret between
   * their owners (kernel 5.7). It replaces an earlier one, whoever set it, and stays when the device is closed; while a
   * virtual function is in use, this device can be opened only with it. Devices that are open stay open. Opening with
   * `{ vfToken }` sets it too.
   *
   * Kernels before 6.17 ask for it only where devices are opened by their group: by its cdev a virtual function opens
   * without.
   *
   * @param token a UUID
   * @throws VfioError `ERR_VFIO_UNSUPPORTED` on a device that is no physical function
   */
  setVfToken(token: string): void {
    const bytes = parseUuid(token, 'token');
    this.#need(Feature.PciVfToken, 'has no virtual functions that a token could guard');
    this.set(Feature.PciVfToken, bytes);
  }

  /**
   * Bus mastering of devices that have no config space to switch it in: only of the CDX bus (kernel 6.7). On PCI use
   * `device.config.busMaster`.
   *
   * @throws VfioError `ERR_VFIO_UNSUPPORTED` on every other bus
   */
  setBusMaster(on: boolean): void {
    boolean(on, 'on');
    this.#need(Feature.BusMaster, 'has no bus mastering outside of its config space');
    // struct vfio_device_feature_bus_master: op, 0 clears, 1 sets
    this.set(Feature.BusMaster, Uint8Array.from([on ? 1 : 0, 0, 0, 0]));
  }

  /** Saving and restoring the device's state (kernel 5.18). @throws VfioError `ERR_VFIO_UNSUPPORTED` */
  get migration(): Migration {
    this.#need(Feature.Migration, 'cannot be migrated');
    return new Migration(this.#device, this);
  }

  /** Which pages the device writes, by its own account (kernel 6.1). @throws VfioError `ERR_VFIO_UNSUPPORTED` */
  get dmaLogging(): DmaLogging {
    this.#need(Feature.DmaLoggingStart, 'does not log its DMA');
    return new DmaLogging(this);
  }

  /** Putting the device to sleep (kernel 6.1). @throws VfioError `ERR_VFIO_UNSUPPORTED` */
  get lowPower(): LowPower {
    // Once: the question alone would wake it.
    if (this.#lowPower === undefined) this.#need(Feature.LowPowerEntry, 'cannot be put to sleep');
    return (this.#lowPower ??= new LowPower(this.#device, this));
  }

  /**
   * A part of a BAR as a dma-buf, for another device to do DMA to without this process touching it (kernel 6.19): map it
   * with `ioas.mapFile(dmaBuf.fd, 0, length)`. It is dead, and what is mapped from it faults, while the device is reset,
   * sleeps or has its memory decoding off, and for good when the device is closed.
   *
   * @param region a memory BAR of this device
   * @param offset where in the BAR: bytes, a multiple of the page size
   * @param length bytes, a multiple of the page size
   * @throws VfioError `ERR_VFIO_UNSUPPORTED` for what is no memory BAR, and on kernels before 6.19
   */
  exportDmaBuf(region: Region, offset: number, length: number): DmaBuf {
    checkDmaBufRange(this.#device, region, offset, length);
    this.#need(Feature.DmaBuf, 'cannot share its BARs as dma-bufs');
    return exportDmaBuf(
      payload => this.#call(Feature.DmaBuf | bit.get, payload).result,
      region,
      offset,
      length,
    );
  }

  #probe(id: number, access: number): boolean {
    try {
      native().deviceFeature(this.#device.handle, id | bit.probe | access, new Uint8Array(0), false);
      return true;
    } catch (error) {
      if (isSystemError(error)) return false;
      throw error;
    }
  }

  #need(id: number, lack: string): void {
    if (this.has(id)) return;
    const kernel = since[id];
    if (kernel === undefined || kernelIsAtLeast(kernel))
      throw unsupportedError(`${this.#device.address} ${lack}`);
    throw unsupportedError(
      `${this.#device.address} ${lack} on this kernel, which is ${kernelRelease()}: ${nameOf(id)} came with ${kernel}`,
      `Linux ${kernel} or later`,
    );
  }

  #call(flags: number, payload: Uint8Array): { result: number; payload: Uint8Array } {
    const { handle } = this.#device;
    const context = this.#context((flags & bit.get) !== 0 ? 'Getting' : 'Setting', flags & 0xffff);
    return attempt(context, () => native().deviceFeature(handle, flags, payload, false));
  }

  #context(verb: string, id: number): Context {
    const kernel = since[id];
    return {
      doing: `${verb} ${nameOf(id)} of ${this.#device.address}`,
      address: this.#device.address,
      since: kernel === undefined ? undefined : { what: nameOf(id), kernel },
    };
  }
}

function checkRaw(id: number): number {
  const instead = notRaw[integer(id, 'id', 0, 0xffff)];
  if (instead === undefined) return id;
  throw unsupportedError(`The payload of ${nameOf(id)} is not for raw bytes`, instead);
}

function nameOf(id: number): string {
  return names.get(id) ?? `feature ${hex(id)}`;
}
