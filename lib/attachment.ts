import type { Container } from './container';
import type { Device } from './device';
import type { Dma } from './dma/dma';
import { attempt, type Context } from './errors/explain';
import { unsupportedError, VfioError } from './errors/vfio-error';
import type { Group } from './group';
import type { Iommufd } from './iommufd/iommufd';
import { checkPageTable, type PageTable } from './iommufd/page-table';
import { native } from './native';
import { integer, options as checkOptions } from './validate';

/** Options of {@link Device.attach} and {@link Device.detach}. */
export interface PasidOptions {
  /** Only the DMA that the device tags with this PASID, 1 to 2^20 - 1 (kernel 6.15). Default: the untagged DMA. */
  pasid?: number;
}

/** By which way a device was opened: its group in a container, or its cdev on an iommufd. */
export interface DeviceParent {
  readonly group?: Group;
  readonly container?: Container;
  readonly iommufd?: Iommufd;
  /** Its id inside the iommufd. */
  readonly deviceId?: number;
  /** It was opened by its cdev although it has no IOMMU: what it is attached to translates nothing. */
  readonly noIommu?: boolean;
  forget(device: Device): void;
}

/** What decides which memory a device reaches: its container, or the page table it is attached to. */
export class Attachment {
  readonly #device: Device;
  readonly #parent: DeviceParent;
  #attached: PageTable | undefined;

  constructor(device: Device, parent: DeviceParent) {
    this.#device = device;
    this.#parent = parent;
  }

  get attached(): PageTable | undefined {
    return this.#attached;
  }

  get dma(): Dma {
    if (this.#parent.noIommu === true) throw this.#untranslated();
    const dma = this.#parent.container?.dma ?? this.#attached?.dma;
    if (dma !== undefined) return dma;
    const { address } = this.#device;
    throw new VfioError(`${address} is attached to no I/O address space`, {
      code: 'ERR_VFIO_NO_IOMMU',
      address,
      cure: 'device.attach(ioas) first',
    });
  }

  get deviceId(): number {
    if (this.#parent.deviceId === undefined) throw this.#needsIommufd();
    return this.#parent.deviceId;
  }

  attach(target: PageTable, options: PasidOptions | undefined): void {
    const { handle, address } = this.#device;
    const pasid = checkPasid(options);
    if (this.#parent.iommufd === undefined) throw this.#needsIommufd();
    checkPageTable(target, this.#parent.iommufd);
    attempt({ doing: `Attaching ${address} to page table ${target.id}`, address, ...about(pasid) }, () =>
      native().deviceAttach(handle, target.id, pasid),
    );
    if (pasid === null) this.#change(target);
  }

  detach(options: PasidOptions | undefined): void {
    const { handle, address } = this.#device;
    const pasid = checkPasid(options);
    if (this.#parent.iommufd === undefined) throw this.#needsIommufd();
    attempt({ doing: `Detaching ${address}`, address, ...about(pasid) }, () =>
      native().deviceDetach(handle, pasid),
    );
    if (pasid === null) this.#change(undefined);
  }

  /** The device's file was closed, which detaches it. */
  end(): void {
    this.#change(undefined);
  }

  /** Which IOVAs are valid depends on the devices attached. */
  #change(to: PageTable | undefined): void {
    const from = this.#attached;
    this.#attached = to;
    from?.refresh();
    to?.refresh();
  }

  #untranslated(): VfioError {
    const { address } = this.#device;
    return new VfioError(`${address} has no IOMMU: IOVAs mean nothing to it`, {
      code: 'ERR_VFIO_NO_IOMMU',
      address,
      cure: 'ioas.dma.alloc(), and for the device ioas.physicalAddress(buffer.iova)',
    });
  }

  #needsIommufd(): VfioError {
    return unsupportedError(
      `${this.#device.address} was opened by its group, not bound to an iommufd`,
      "iommufd.openDevice(address), or Device.open(address, { via: 'cdev' })",
    );
  }
}

function checkPasid(options: PasidOptions | undefined): number | null {
  const { pasid } = checkOptions(options, 'options', ['pasid']);
  return pasid === undefined ? null : integer(pasid, 'options.pasid', 1, 2 ** 20 - 1);
}

function about(pasid: number | null): Pick<Context, 'since' | 'facts'> {
  if (pasid === null) return {};
  return { since: { what: 'attaching by PASID', kernel: '6.15' }, facts: { pasid } };
}
