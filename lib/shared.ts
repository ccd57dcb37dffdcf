import { randomBytes } from 'node:crypto';
import type { DmaBuffer } from './dma/dma-buffer';
import { VfioError } from './errors/vfio-error';
import type { IrqVector } from './irq/irq-vector';
import type { Mapping } from './mapping';
import { native } from './native';

declare const of: unique symbol;

/** What a thread can let others use. */
export type Shareable = Mapping | DmaBuffer | IrqVector;

/** @internal What each kind of it is called. */
export type SharedKind = 'mapping' | 'buffer' | 'vector';

/**
 * A part of a device on its way to another thread: plain data, for `postMessage()` or a worker's `workerData`, where
 * `adopt()` turns it into what it stands for. It can be adopted for as long as that is there, by threads of this process only.
 */
export interface Shared<T extends Shareable> {
  readonly vfio: 'mapping' | 'buffer' | 'vector';
  /** 128 random bits: whoever has them may adopt it. */
  readonly key: string;
  /** Memory that the user brought, of which every thread needs to be given its own reference. */
  readonly memory?: SharedArrayBuffer;
  /** Only the type: nothing has it. */
  readonly [of]?: T;
}

/** @internal Enters something of this thread under a new key. */
export function share<T extends Shareable>(
  vfio: SharedKind,
  about: object,
  enter: (key: string, about: string) => void,
  memory?: SharedArrayBuffer,
): Shared<T> {
  const key = randomBytes(16).toString('hex');
  enter(key, JSON.stringify(about));
  return token(vfio, key, memory);
}

/** @internal */
export function token<T extends Shareable>(
  vfio: SharedKind,
  key: string,
  memory?: SharedArrayBuffer,
): Shared<T> {
  return Object.freeze(memory === undefined ? { vfio, key } : { vfio, key, memory });
}

/** @internal Whether what was shared under that key is still there. */
export function isOpen(key: string): boolean {
  return native().shareOpen(key);
}

/** @internal */
export function notShared(kind: SharedKind, cause?: unknown): VfioError {
  const what = { mapping: 'mapping', buffer: 'DMA buffer', vector: 'interrupt vector' }[kind];
  return new VfioError(`No ${what} of this process is shared under that key`, {
    code: 'ERR_VFIO_NOT_SHARED',
    likelyCause:
      'it was closed, or its device was, or the thread that shared it has ended, or the token is of another process',
    cure: 'share() it again, and keep it open until it is adopted',
    ...(cause === undefined ? {} : { cause }),
  });
}
