import { freeLingering } from '../dma/memory';
import { attempt } from '../errors/explain';
import { native, type DmaMapHandle } from '../native';
import { hex } from '../validate';

/** Something mapped for devices that is not memory of this process: a file, a BAR of another device, a copy. */
export class IovaMapping implements Disposable {
  /** Where the device sees its first byte. */
  readonly iova: bigint;
  readonly byteLength: number;
  readonly #handle: DmaMapHandle;
  #onClose: ((gone: IovaMapping) => void) | undefined;

  /** @internal */
  constructor(iova: bigint, byteLength: number, handle: DmaMapHandle, onClose: (gone: IovaMapping) => void) {
    this.iova = iova;
    this.byteLength = byteLength;
    this.#handle = handle;
    this.#onClose = onClose;
  }

  get closed(): boolean {
    return this.#onClose === undefined;
  }

  /** Unmaps it. Does nothing the second time. */
  close(): void {
    const onClose = this.#onClose;
    if (onClose === undefined) return;
    attempt({ doing: `Unmapping ${hex(this.iova)}` }, () => native().dmaUnmap(this.#handle, false));
    this.#onClose = undefined;
    freeLingering();
    onClose(this);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
