import { attempt, explain } from '../errors/explain';
import { closedError } from '../errors/vfio-error';
import { native } from '../native';
import type { FileHandle } from '../native-iommufd';
import { bytes, integer } from '../validate';

/** Estimates of what pre-copy still has to read (`VFIO_MIG_GET_PRECOPY_INFO`, kernel 6.2), in bytes. */
export interface PrecopyInfo {
  /** Left of the state the device had at the start; it is best to go on to `stop-copy` when this is 0. */
  readonly initial: bigint;
  /** What has changed since it was read. */
  readonly dirty: bigint;
  /** There is new initial data (`VFIO_PRECOPY_INFO_REINIT`, kernel 7.1, only when it was enabled). */
  readonly reinitialized: boolean;
}

/** The state of a device as a stream of bytes: read it to save, write it to restore. */
export class MigrationStream implements AsyncIterable<Uint8Array>, Disposable {
  readonly #file: FileHandle;
  #closed = false;

  /** @internal */
  constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Its file descriptor. It stays owned by this object. */
  get fd(): number {
    return native().fileNumber(this.#open());
  }

  get closed(): boolean {
    return this.#closed;
  }

  /**
   * The next bytes.
   *
   * @param maxBytes default 1 MiB
   * @returns at most that many; empty at the end, in pre-copy at the end for now
   */
  async read(maxBytes = 2 ** 20): Promise<Uint8Array> {
    const buffer = new Uint8Array(integer(maxBytes, 'maxBytes', 1, 2 ** 30));
    const length = await this.#attempt('Reading device state', file => native().fileRead(file, buffer, true));
    return buffer.subarray(0, length);
  }

  /** Writes all of it. */
  async write(data: Uint8Array): Promise<void> {
    for (let rest = bytes(data, 'data'); rest.length > 0;) {
      const part = rest;
      rest = rest.subarray(
        await this.#attempt('Writing device state', file => native().fileWrite(file, part, true)),
      );
    }
  }

  /** The bytes to the end: `for await (const chunk of stream)`. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void> {
    for (let chunk = await this.read(); chunk.length > 0; chunk = await this.read()) yield chunk;
  }

  /** How much there is to read in pre-copy. @throws VfioError `EINVAL` in any other state */
  precopyInfo(): PrecopyInfo {
    const file = this.#open();
    const context = {
      doing: 'Asking for the pre-copy state',
      since: { what: 'VFIO_MIG_GET_PRECOPY_INFO', kernel: '6.2' },
    };
    const raw = attempt(context, () => native().migrationPrecopyInfo(file));
    return Object.freeze({ initial: raw.initial, dirty: raw.dirty, reinitialized: (raw.flags & 1) !== 0 });
  }

  /** Does nothing the second time. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    native().fileClose(this.#file);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #open(): FileHandle {
    if (this.#closed) throw closedError('The migration stream');
    return this.#file;
  }

  async #attempt(doing: string, work: (file: FileHandle) => number | Promise<number>): Promise<number> {
    const file = this.#open();
    try {
      return await work(file);
    } catch (error) {
      // ENOMSG: the end for now, in pre-copy.
      if ((error as NodeJS.ErrnoException).code === 'ENOMSG') return 0;
      throw explain(error, { doing });
    }
  }
}
