import type { Geometry } from '../dma/address-space';
import type { Dma } from '../dma/dma';
import { IommuDma } from '../dma/iommu-dma';
import { attempt, type Context } from '../errors/explain';
import { busyError, closedError } from '../errors/vfio-error';
import type { MapOptions } from '../dma/options';
import { checkedRanges, type IovaRange } from '../iommu-info';
import { native, type DmaMapHandle, type Maybe, type MemoryHandle } from '../native';
import { iovaRanges } from '../iova-ranges';
import { address64, boolean, hex, instanceOf, integer, typeError } from '../validate';
import { IommuOption, Iommufd } from './iommufd';
import { IovaMapping } from './iova-mapping';
import { type PageTable, registerPageTable } from './page-table';

/** Where and how something is mapped that is not memory of this process. */
export type IovaOptions = Omit<MapOptions, 'iova'> & { iova?: bigint | number };

/** A piece of physical memory. */
export interface PhysicalRange {
  readonly address: bigint;
  /** Bytes. */
  readonly length: number;
}

/**
 * An I/O address space of an iommufd: a set of mappings that any number of devices can be attached to. It outlives them,
 * and devices can be moved from one to another while they run.
 */
export class Ioas implements PageTable, Disposable {
  readonly iommufd: Iommufd;
  readonly id: number;
  readonly #dma: IommuDma;
  #allowed: readonly IovaRange[] = [];
  #closed = false;

  /** @internal */
  constructor(iommufd: Iommufd) {
    this.iommufd = iommufd;
    this.id = attempt({ doing: 'Allocating an I/O address space', path: Iommufd.path }, () =>
      native().ioasAlloc(iommufd.handle),
    );
    this.#dma = new IommuDma(this);
    registerPageTable(this);
    this.refresh();
  }

  /** The memory mapped in it. */
  get dma(): Dma {
    return this.#dma;
  }

  get closed(): boolean {
    return this.#closed || this.iommufd.closed;
  }

  /** Which IOVAs can be mapped, given the devices attached now (`IOMMU_IOAS_IOVA_RANGES`). */
  iovaRanges(): readonly IovaRange[] {
    return this.geometry().iovaRanges;
  }

  /** @internal */
  get ready(): boolean {
    return !this.closed;
  }

  /** @internal */
  assertReady(): void {
    if (this.closed) throw closedError(`I/O address space ${this.id}`);
  }

  /** @internal */
  geometry(): Geometry {
    this.assertReady();
    const { ranges, alignment } = attempt({ doing: 'Asking for IOVA ranges', path: Iommufd.path }, () =>
      native().ioasIovaRanges(this.iommufd.handle, this.id),
    );
    // Without a device attached the kernel takes single bytes; pages are what every device will want.
    const page = BigInt(native().pageSize);
    return {
      iovaRanges: checkedRanges('IOMMU_IOAS_IOVA_RANGES', ranges),
      pageSize: alignment > page ? alignment : page,
      ...(this.#allowed.length === 0 ? {} : { allowed: this.#allowed }),
    };
  }

  /** @internal */
  map(
    memory: MemoryHandle,
    length: number,
    iova: bigint,
    flags: number,
    async: boolean,
  ): Maybe<DmaMapHandle> {
    return native().ioasMap(this.iommufd.handle, this.id, memory, 0, length, iova, flags, async);
  }

  /** @internal */
  unmapAll(): void {
    attempt({ doing: 'Unmapping all DMA memory', path: Iommufd.path }, () =>
      native().ioasUnmapAll(this.iommufd.handle, this.id, false),
    );
  }

  /**
   * Keeps IOVAs valid for devices attached later (`IOMMU_IOAS_ALLOW_IOVAS`): one whose IOMMU lacks some of them is then
   * refused instead of narrowing the space. Addresses are chosen from these ranges only, from now on; those asked for by
   * `iova` may still be others.
   *
   * @param ranges inclusive; they replace those of the last call; empty: no restriction
   * @throws VfioError `EADDRINUSE` when a device attached now lacks some of them
   */
  allowIovas(ranges: readonly IovaRange[]): void {
    this.assertReady();
    const checked = iovaRanges(ranges, 0);
    attempt({ doing: 'Allowing IOVAs', path: Iommufd.path }, () =>
      native().ioasAllowIovas(this.iommufd.handle, this.id, checked),
    );
    this.#allowed = checked.sort((a, b) => (a.start < b.start ? -1 : 1));
    this.refresh();
  }

  /**
   * Maps what another address space shows at an IOVA here too, without pinning the memory again (`IOMMU_IOAS_COPY`). The
   * memory stays until both mappings have ended.
   *
   * @param source an address space of the same iommufd; `sourceIova` must start a mapping that is `length` long or more
   */
  copy(source: Ioas, sourceIova: bigint, length: number, options?: IovaOptions): IovaMapping {
    instanceOf(source, Ioas, 'source').assertReady();
    if (source.iommufd !== this.iommufd) throw typeError('source', 'an Ioas of the same iommufd', source);
    const from = address64(sourceIova, 'sourceIova');
    return this.#mapHere(length, {}, options, (iova, flags) =>
      native().ioasCopy(this.iommufd.handle, this.id, source.id, BigInt(length), iova, from, flags),
    );
  }

  /**
   * Maps a file (`IOMMU_IOAS_MAP_FILE`, kernel 6.13): a memfd, whose pages are pinned as they are, or the dma-buf of
   * another device's BAR, for peer-to-peer DMA.
   *
   * @param fd the file descriptor; it may be closed afterwards
   * @param start where in the file, bytes, a multiple of the page size
   * @param length bytes, a multiple of the page size
   */
  mapFile(fd: number, start: number, length: number, options?: IovaOptions): IovaMapping {
    integer(fd, 'fd', 0, 2 ** 31 - 1);
    integer(start, 'start', 0, Number.MAX_SAFE_INTEGER);
    const since = { what: 'IOMMU_IOAS_MAP_FILE', kernel: '6.13' };
    return this.#mapHere(length, { since }, options, (iova, flags) =>
      native().ioasMapFile(this.iommufd.handle, this.id, fd, start, length, iova, flags),
    );
  }

  /**
   * Where mapped memory lies physically (`IOMMU_IOAS_NOIOMMU_GET_PA`, kernel 7.3): what a device without an IOMMU must be
   * told. The memory stays there as long as it is mapped. A device opened with `noIommu` must be attached. Needs
   * CAP_SYS_RAWIO.
   *
   * @param iova of the first byte
   * @param length how many bytes are of interest, default all of the mapping
   * @returns the address, and how many of these bytes follow each other from there
   * @throws VfioError `ENOENT` when nothing is mapped there, `ENOTSUP` without such a device, `EPERM`
   */
  physicalAddress(iova: bigint | number, length?: number): PhysicalRange {
    this.assertReady();
    const at = address64(iova, 'iova');
    const most = length === undefined ? 2n ** 63n : BigInt(integer(length, 'length', 1, 2 ** 46));
    const since = { what: 'IOMMU_IOAS_NOIOMMU_GET_PA', kernel: '7.3' };
    const found = attempt(
      { doing: `Asking for the physical address of IOVA ${hex(at)}`, iova: at, since },
      () => native().ioasNoIommuGetPa(this.iommufd.handle, this.id, at, most),
    );
    return Object.freeze({ address: found.physical, length: Number(found.length) });
  }

  /** Whether mappings may use larger pages of the IOMMU (`IOMMU_OPTION_HUGE_PAGES`). Default true. */
  get hugePages(): boolean {
    this.assertReady();
    return this.iommufd.option(IommuOption.HugePages, this.id) !== 0n;
  }
  set hugePages(on: boolean) {
    this.assertReady();
    this.iommufd.setOption(IommuOption.HugePages, this.id, boolean(on, 'hugePages') ? 1n : 0n);
  }

  #mapHere(
    length: number,
    context: Pick<Context, 'since'>,
    options: IovaOptions | undefined,
    map: (iova: bigint, flags: number) => DmaMapHandle,
  ): IovaMapping {
    this.assertReady();
    integer(length, 'length', 1, 2 ** 46);
    const { iova, flags } = this.#dma.reserve(length, options);
    try {
      const handle = attempt(
        { doing: `Mapping ${length} bytes at IOVA ${hex(iova)}`, iova, size: length, ...context },
        () => map(iova, flags),
      );
      return this.#dma.adopt(new IovaMapping(iova, length, handle, gone => this.#dma.unreserve(gone)));
    } catch (error) {
      this.#dma.unreserve({ iova });
      throw error;
    }
  }

  /** @internal */
  refresh(): void {
    this.#dma.refreshGeometry();
  }

  /**
   * Frees its DMA buffers and destroys it (`IOMMU_DESTROY`). Devices must be detached. Does nothing the second time.
   *
   * @throws VfioError `ERR_VFIO_BUSY` while a device or a hardware page table uses it; its memory stays mapped then
   */
  close(): void {
    if (this.closed) return;
    const users = this.iommufd.usersOf(this.#dma);
    if (users.length > 0) {
      throw busyError(
        `I/O address space ${this.id} is in use: ${users.join(', ')}`,
        'detach devices and close page tables first',
      );
    }
    this.#dma.freeAll();
    this.iommufd.destroy(`I/O address space ${this.id}`, this.id);
    this.#closed = true;
    this.iommufd.disown(this);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
