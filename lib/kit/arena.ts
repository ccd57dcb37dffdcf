import { randomBytes } from 'node:crypto';
import { adopt } from '../adopt';
import { Dma } from '../dma/dma';
import type { DmaBuffer } from '../dma/dma-buffer';
import { PhysicalDma } from '../dma/physical-dma';
import { unsupportedError } from '../errors/vfio-error';
import type { Shared } from '../shared';
import { coded, hex, instanceOf, integer, powerOfTwo, propertyOf, typeError } from '../validate';
import { wasm, type WasmMemory } from './wasm/webassembly';

const WASM_PAGE = 65536;
const MiB = 2 ** 20;
/** Nothing lies at 0, so that 0 can mean "none" wherever there are offsets. */
const FIRST = 4096;
/** Which 32-bit word says how far the arena is used: in the arena itself, as threads share it. */
const USED = 16;

/** An arena on its way to another thread: plain data, for `postMessage()` or `workerData`. See {@link Arena.adopt}. */
export interface SharedArena {
  /** Which arena it is, so that each thread has one object for it. */
  readonly arena: string;
  /** A shared `WebAssembly.Memory`, or without an IOMMU the DMA buffer that it is. */
  readonly memory: object | Shared<DmaBuffer>;
}

/** The arenas of this thread that others know, or that are theirs. */
const known = new Map<string, WeakRef<Arena>>();
const forgotten = new FinalizationRegistry<string>(key => {
  if (known.get(key)?.deref() === undefined) known.delete(key);
});

/**
 * Memory that a program shares with its devices: rings, buffers, and what the loops over them keep. All of it is one
 * shared `WebAssembly.Memory`, because such memory never moves, cannot be transferred away, is seen by every worker, and is
 * what the compiled loops of the rings can reach.
 *
 * Places in it are offsets from its start, small integers, which is also what frames are known by. One mapping for each
 * device's address space covers all of it ({@link mapFor}), so a frame received by one NIC can be sent by another as it is.
 */
export class Arena {
  /** The memory as bytes: `u8[frame]` is the first byte of a frame. */
  readonly u8: Uint8Array;
  /** The same as 32-bit words: index offsets with `>> 2`. */
  readonly u32: Uint32Array;
  /** The same as 64-bit words: index offsets with `>> 3`. */
  readonly u64: BigUint64Array;
  /** @internal Undefined for memory that WebAssembly cannot reach. */
  readonly memory: WasmMemory | undefined;
  /** @internal */
  readonly buffer: ArrayBufferLike;
  /** @internal Where the arena starts in it. */
  readonly byteOffset: number;
  readonly #mappings = new Map<Dma, DmaBuffer>();
  readonly #given: DmaBuffer | undefined;
  #key: string | undefined;

  /**
   * @param bytes rounded up to 64 KiB; at most 2 GiB
   * @throws RangeError when the system has no address space left for it
   */
  constructor(bytes: number);
  /** @internal */
  constructor(bytes: number, dma: Dma | undefined, memory: DmaBuffer | WasmMemory);
  constructor(bytes: number, dma?: Dma, memory?: DmaBuffer | WasmMemory) {
    const pages = Math.ceil(integer(bytes, 'bytes', 1, 2048 * MiB) / WASM_PAGE);
    const given = memory instanceof wasm.Memory ? undefined : memory;
    this.#given = given;
    if (given === undefined) {
      this.memory =
        memory instanceof wasm.Memory
          ? memory
          : new wasm.Memory({ initial: pages, maximum: pages, shared: true });
      this.buffer = this.memory.buffer;
      this.byteOffset = 0;
    } else {
      this.buffer = given.buffer;
      this.byteOffset = given.byteOffset;
      if (dma !== undefined) this.#mappings.set(dma, given);
    }
    const length = given?.byteLength ?? pages * WASM_PAGE;
    this.u8 = new Uint8Array(this.buffer, this.byteOffset, length);
    this.u32 = new Uint32Array(this.buffer, this.byteOffset, length >> 2);
    this.u64 = new BigUint64Array(this.buffer, this.byteOffset, length >> 3);
    Atomics.compareExchange(this.u32, USED, 0, FIRST);
  }

  /**
   * An arena for one device, already mapped for it, that also works without an IOMMU: the memory then is a part of one huge
   * page, which does not move. WebAssembly cannot reach that, so bursts are slower there, and there is no {@link Forwarder}.
   *
   * @throws VfioError, RangeError as `dma.alloc()` does: without an IOMMU 2 MiB are the most
   */
  static for(dma: Dma, bytes: number): Arena {
    if (instanceOf(dma, Dma, 'dma') instanceof PhysicalDma) return new Arena(bytes, dma, dma.alloc(bytes));
    const arena = new Arena(bytes);
    arena.mapFor(dma);
    return arena;
  }

  /**
   * An arena that another thread shared, in this one: the same memory, with the same offsets. Either allocates from what is
   * left of it. The devices that it is mapped for are those of the thread that mapped it.
   *
   * @param shared what {@link share} returned, in any thread of this process; the result is one object for each arena
   * @throws VfioError `ERR_VFIO_NOT_SHARED` without an IOMMU, when the device it belongs to is closed
   */
  static adopt(shared: SharedArena): Arena {
    const [key, memory] = [propertyOf(shared, 'arena'), propertyOf(shared, 'memory')];
    if (typeof key !== 'string' || typeof memory !== 'object' || memory === null) {
      throw typeError('shared', 'what share() of an Arena returned', shared);
    }
    return known.get(key)?.deref() ?? adoptAnew(memory).#known(key);
  }

  /** Lets other threads of this process use it: {@link Arena.adopt} makes an arena of the result there. */
  share(): SharedArena {
    const memory = this.memory ?? this.#given?.share();
    if (memory === undefined) throw unsupportedError('This arena belongs to one thread');
    if (this.#key === undefined) this.#known(randomBytes(16).toString('hex'));
    return { arena: this.#key ?? '', memory };
  }

  get byteLength(): number {
    return this.u8.length;
  }

  /** Bytes that {@link alloc} has not handed out. */
  get available(): number {
    return this.byteLength - Atomics.load(this.u32, USED);
  }

  /**
   * A part of it, zeroed, for good: an arena lives as long as the program's use of its devices. Threads that share the arena
   * may allocate at the same time.
   *
   * @param align a power of two, by default a cache line
   * @returns its offset
   * @throws RangeError `ERR_VFIO_ARENA_FULL`
   */
  alloc(bytes: number, align = 64): number {
    integer(bytes, 'bytes', 1, 2 ** 31);
    powerOfTwo(align, 'align', 1, 2 * MiB);
    for (;;) {
      const used = Atomics.load(this.u32, USED);
      const offset = Math.ceil(used / align) * align;
      if (offset + bytes > this.byteLength) {
        throw coded(
          new RangeError(
            `the arena has ${this.available} of its ${this.byteLength} bytes left, too few for ${bytes} more`,
          ),
          'ERR_VFIO_ARENA_FULL',
        );
      }
      if (Atomics.compareExchange(this.u32, USED, used, offset + bytes) === used) return offset;
    }
  }

  /**
   * Maps the memory for a device, or for all that share its address space, unless it is already.
   *
   * @param dma of the device: `device.dma`
   * @returns where the device sees the arena's first byte
   * @throws VfioError as `dma.map()` does; `ERR_VFIO_UNSUPPORTED` without an IOMMU
   */
  mapFor(dma: Dma): bigint {
    const mapped = this.#mappings.get(instanceOf(dma, Dma, 'dma'));
    if (mapped?.freed === false) return mapped.iova;
    if (this.memory === undefined) throw unsupportedError('An arena without an IOMMU belongs to one device');
    const mapping = dma.map(this.memory.buffer);
    this.#mappings.set(dma, mapping);
    return mapping.iova;
  }

  /** Takes it away from a device again; does nothing if that cannot reach it. Make the device stop first. */
  unmapFor(dma: Dma): void {
    this.#mappings.get(dma)?.free();
    this.#mappings.delete(dma);
  }

  /** For messages. */
  toString(): string {
    return `arena of ${hex(this.byteLength)} bytes`;
  }

  #known(key: string): this {
    this.#key = key;
    known.set(key, new WeakRef(this));
    forgotten.register(this, key);
    return this;
  }
}

function adoptAnew(memory: object): Arena {
  if (memory instanceof wasm.Memory) return new Arena(memory.buffer.byteLength, undefined, memory);
  const buffer = adopt<DmaBuffer>(memory as Shared<DmaBuffer>);
  return new Arena(buffer.byteLength, undefined, buffer);
}
