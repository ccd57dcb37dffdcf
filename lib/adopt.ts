import { types } from 'node:util';
import { threadId } from 'node:worker_threads';
import { DmaBuffer } from './dma/dma-buffer';
import { attempt } from './errors/explain';
import { EventFd, GivenEventFd } from './eventfd';
import { busyError, unsupportedError } from './errors/vfio-error';
import type { IrqInfo } from './irq/irq-info';
import { IrqVector } from './irq/irq-vector';
import { Mapping, type MappingAbout } from './mapping';
import { native } from './native';
import { isOpen, notShared, type Shareable, type Shared, type SharedKind, token } from './shared';
import { propertyOf, typeError } from './validate';

/** What a buffer's lender tells of it. */
interface BufferAbout {
  iova: string;
  /** Whether it is memory the user brought. */
  brought: boolean;
  byteOffset: number;
  byteLength: number;
  deviceReads: boolean;
  deviceWrites: boolean;
}

/** What a vector's lender tells of it. */
interface VectorAbout {
  address: string;
  info: IrqInfo;
  index: number;
  counts: boolean;
}

/**
 * The mapping, DMA buffer or interrupt vector that another thread shared, in this one: of the same class, with the same
 * methods, until its owner closes it, its device or its thread. From then on its accessors throw `ERR_VFIO_CLOSED`, views kept
 * over it see dead memory (all-ones for a mapping, zeroes for a buffer), and waits and iterations end. Closing it here, or the
 * end of this thread, lets go of it and leaves it to its owner.
 *
 * Any number of threads may adopt a mapping or a buffer at the same time. A vector has one thread that waits for it: its owner
 * may not listen to it meanwhile, and has it back when it is closed here.
 *
 * What concerns the whole device stays with the thread that opened it: a mapping's `region`, a vector's `trigger()`, a buffer's
 * `freeDirty()` and `moveTo()`, and the events `'gone'` and `'back'`.
 *
 * @param shared what `share()` returned, in any thread of this process
 * @throws VfioError `ERR_VFIO_NOT_SHARED` when nothing is shared (any more) under that key, `ERR_VFIO_BUSY` when a thread is
 *   waiting for the vector already
 */
export function adopt<T extends Shareable>(shared: Shared<T>): T;
export function adopt(shared: unknown): Shareable {
  const vfio = propertyOf(shared, 'vfio');
  const key = propertyOf(shared, 'key');
  if (typeof key === 'string' && /^[0-9a-f]{32}$/.test(key)) {
    if (vfio === 'mapping') return adoptMapping(key);
    if (vfio === 'buffer') return adoptBuffer(key, propertyOf(shared, 'memory'));
    if (vfio === 'vector') return adoptVector(key);
  }
  throw typeError('shared', 'what share() of a mapping, a DMA buffer or a vector returned', shared);
}

function adoptMapping(key: string): Mapping {
  const { handle, about } = found('mapping', () => native().adoptBar(key));
  return Mapping.adopted(handle, JSON.parse(about) as MappingAbout, token('mapping', key));
}

function adoptBuffer(key: string, memory: unknown): DmaBuffer {
  const given = types.isSharedArrayBuffer(memory) ? memory : undefined;
  const whole = given === undefined ? null : new Uint8Array(given);
  const { handle, about } = found('buffer', () => native().adoptMemory(key, whole));
  const { iova, brought, byteOffset, byteLength, ...access } = JSON.parse(about) as BufferAbout;
  const buffer =
    brought && given !== undefined ? given : found('buffer', () => native().memoryBuffer(handle));
  const owner = {
    get over() {
      return !isOpen(key);
    },
    memoryOf: () => handle,
    release: (freed: DmaBuffer) => {
      freed.markFreed();
      native().memoryFree(handle);
    },
  };
  return new DmaBuffer(
    owner,
    BigInt(iova),
    { buffer, byteOffset, byteLength },
    access,
    token('buffer', key, given),
  );
}

function adoptVector(key: string): IrqVector {
  const result = found('vector', () => native().adoptEventFd(key, threadId));
  if (typeof result === 'number') {
    throw busyError(
      `Thread ${result} is waiting for that vector`,
      'close it there, or remove its listeners if it is the thread that shared it',
    );
  }
  const { address, info, index, counts } = JSON.parse(result.about) as VectorAbout;
  const device = {
    address,
    get closed() {
      return !isOpen(key);
    },
    busMastering: true,
    get handle(): never {
      throw unsupportedError(
        `Only the thread that opened ${address} can trigger its interrupts`,
        'ask it to, by a message',
      );
    },
  };
  const owner = {
    info,
    get over() {
      return !isOpen(key);
    },
    release: () => undefined,
  };
  return new IrqVector(device, owner, index, counts, {
    eventfd: new EventFd(new GivenEventFd(result.handle)),
    shared: token('vector', key),
  });
}

/** What the native layer has under a key. It may be over while it is being asked for. */
function found<T>(kind: SharedKind, look: () => T | null): T {
  let result: T | null;
  try {
    result = attempt({ doing: `Adopting a ${kind}` }, look);
  } catch (error) {
    throw propertyOf(error, 'code') === 'ERR_VFIO_CLOSED' ? notShared(kind, error) : error;
  }
  if (result === null) throw notShared(kind);
  return result;
}
