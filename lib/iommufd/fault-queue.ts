import { EventEmitter } from 'node:events';
import { StructReader } from '../capability';
import { attempt } from '../errors/explain';
import { busyError, closedError } from '../errors/vfio-error';
import { native } from '../native';
import type { FileHandle } from '../native-iommufd';
import { boolean, instanceOf, integer, propertyOf } from '../validate';
import { FileSource } from './file-source';
import { Iommufd } from './iommufd';

/** A page fault of a device (`struct iommu_hwpt_pgfault`): it waits for {@link FaultQueue.respond}. */
export interface PageFault {
  readonly deviceId: number;
  /** The PASID it faulted in, if in one. */
  readonly pasid: number | undefined;
  /** Requests of one group are answered by one response, to the {@link last} of them. */
  readonly group: number;
  readonly last: boolean;
  /** What the device wanted. */
  readonly read: boolean;
  readonly write: boolean;
  readonly execute: boolean;
  readonly privileged: boolean;
  /** The IOVA. */
  readonly address: bigint;
  /** A hint how many bytes the device will want. */
  readonly length: number;
  /** Identifies it in the response. */
  readonly cookie: number;
}

const faultBytes = 40;
const maxFaultsPerRead = 64;
const flags = { pasidValid: 1, lastPage: 2 } as const;
const permission = { read: 1, write: 2, execute: 4, privileged: 8 } as const;

/**
 * The page faults of devices attached to page tables made with it (`IOMMU_FAULT_QUEUE_ALLOC`, kernel 6.11). Needs
 * hardware with page requests (PRI).
 *
 * @fires faults with the requests that came; each group must be answered with {@link respond}
 */
export class FaultQueue extends EventEmitter<{ faults: [PageFault[]] }> implements Disposable {
  readonly iommufd: Iommufd;
  readonly id: number;
  readonly #file: FileHandle;
  readonly #source: FileSource;
  readonly #tables = new Set<{ readonly id: number }>();
  #closed = false;

  private constructor(iommufd: Iommufd) {
    super();
    this.iommufd = iommufd;
    const since = { what: 'IOMMU_FAULT_QUEUE_ALLOC', kernel: '6.11' };
    const { id, file } = attempt({ doing: 'Allocating a page-fault queue', path: Iommufd.path, since }, () =>
      native().faultQueueAlloc(iommufd.handle),
    );
    this.id = id;
    this.#file = file;
    this.#source = new FileSource(this, 'faults', file, () => this.emit('faults', this.read()));
    iommufd.adopt(this);
  }

  static alloc(iommufd: Iommufd): FaultQueue {
    return new FaultQueue(instanceOf(iommufd, Iommufd, 'iommufd'));
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** The requests waiting now; empty when there are none. The `'faults'` event reads them by itself. */
  read(): PageFault[] {
    this.#assertOpen();
    const bytes = new Uint8Array(faultBytes * maxFaultsPerRead);
    const length = attempt({ doing: 'Reading page faults' }, () =>
      native().fileRead(this.#file, bytes, false),
    );
    return Array.from({ length: Math.floor(length / faultBytes) }, (_, i) =>
      decodeFault(new StructReader(bytes.subarray(i * faultBytes, (i + 1) * faultBytes))),
    );
  }

  /**
   * Answers a group of requests.
   *
   * @param fault its last request, or that one's cookie
   * @param success true: the page is mapped now, try again; false: fail the access
   */
  respond(fault: PageFault | number, success: boolean): void {
    this.#assertOpen();
    const given = typeof fault === 'number' ? fault : propertyOf(fault, 'cookie');
    const cookie = integer(given, 'cookie', 0, 0xffff_ffff);
    const code = boolean(success, 'success') ? 0 : 1; // IOMMUFD_PAGE_RESP_SUCCESS, _INVALID
    const response = new Uint8Array(Uint32Array.of(cookie, code).buffer);
    attempt({ doing: 'Answering a page fault', facts: { cookie } }, () =>
      native().fileWrite(this.#file, response, false),
    );
  }

  /** @internal A page table that sends its faults here. */
  adopt(table: { readonly id: number }): void {
    this.#tables.add(table);
  }

  /** @internal */
  disown(table: { readonly id: number }): void {
    this.#tables.delete(table);
  }

  /**
   * Ends it. Does nothing the second time.
   *
   * @throws VfioError `ERR_VFIO_BUSY` while there is a page table made with it
   */
  close(): void {
    if (this.#closed) return;
    if (this.#tables.size > 0 && !this.iommufd.closed) {
      const ids = [...this.#tables].map(table => table.id).join(', ');
      throw busyError(`The page-fault queue is in use by page table ${ids}`, 'close that first');
    }
    this.#closed = true;
    this.#source.close();
    native().fileClose(this.#file);
    if (!this.iommufd.closed) this.iommufd.destroy('the page-fault queue', this.id);
    this.iommufd.disown(this);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #assertOpen(): void {
    if (this.#closed) throw closedError('The page-fault queue');
  }
}

/** struct iommu_hwpt_pgfault: flags, dev_id, pasid, grpid, perm, reserved, addr, length, cookie */
function decodeFault(fault: StructReader): PageFault {
  const bits = fault.u32(0);
  const wanted = fault.u32(16);
  return Object.freeze({
    deviceId: fault.u32(4),
    pasid: (bits & flags.pasidValid) === 0 ? undefined : fault.u32(8),
    group: fault.u32(12),
    last: (bits & flags.lastPage) !== 0,
    read: (wanted & permission.read) !== 0,
    write: (wanted & permission.write) !== 0,
    execute: (wanted & permission.execute) !== 0,
    privileged: (wanted & permission.privileged) !== 0,
    address: fault.u64(24),
    length: fault.u32(32),
    cookie: fault.u32(36),
  });
}
