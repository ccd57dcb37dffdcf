import { Dma } from '../dma/dma';
import type { DmaBuffer } from '../dma/dma-buffer';
import { PhysicalDma } from '../dma/physical-dma';
import { unsupportedError } from '../errors/vfio-error';
import { coded, hex, instanceOf, integer, powerOfTwo } from '../validate';
import { wasm, type WasmMemory } from './wasm/webassembly';

const WASM_PAGE = 65536;
const MiB = 2 ** 20;
/** Nothing lies at 0, so that 0 can mean "none" wherever there are offsets. */
const FIRST = 4096;

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
  #used = FIRST;

  /**
   * @param bytes rounded up to 64 KiB; at most 2 GiB
   * @throws RangeError when the system has no address space left for it
   */
  constructor(bytes: number);
  /** @internal */
  constructor(bytes: number, dma: Dma, memory: DmaBuffer);
  constructor(bytes: number, dma?: Dma, given?: DmaBuffer) {
    const pages = Math.ceil(integer(bytes, 'bytes', 1, 2048 * MiB) / WASM_PAGE);
    if (dma === undefined || given === undefined) {
      this.memory = new wasm.Memory({ initial: pages, maximum: pages, shared: true });
      this.buffer = this.memory.buffer;
      this.byteOffset = 0;
    } else {
      this.buffer = given.buffer;
      this.byteOffset = given.byteOffset;
      this.#mappings.set(dma, given);
    }
    const length = given?.byteLength ?? pages * WASM_PAGE;
    this.u8 = new Uint8Array(this.buffer, this.byteOffset, length);
    this.u32 = new Uint32Array(this.buffer, this.byteOffset, length >> 2);
    this.u64 = new BigUint64Array(this.buffer, this.byteOffset, length >> 3);
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

  get byteLength(): number {
    return this.u8.length;
  }

  /** Bytes that {@link alloc} has not handed out. */
  get available(): number {
    return this.byteLength - this.#used;
  }

  /**
   * A part of it, zeroed, for good: an arena lives as long as the program's use of its devices.
   *
   * @param align a power of two, by default a cache line
   * @returns its offset
   * @throws RangeError `ERR_VFIO_ARENA_FULL`
   */
  alloc(bytes: number, align = 64): number {
    integer(bytes, 'bytes', 1, 2 ** 31);
    powerOfTwo(align, 'align', 1, 2 * MiB);
    const offset = Math.ceil(this.#used / align) * align;
    if (offset + bytes > this.byteLength) {
      throw coded(
        new RangeError(
          `the arena has ${this.available} of its ${this.byteLength} bytes left, too few for ${bytes} more`,
        ),
        'ERR_VFIO_ARENA_FULL',
      );
    }
    this.#used = offset + bytes;
    return offset;
  }

  /**
   * Maps the memory for a device, or for all that share its address space, unless it is already.
   *
   * @param dma of the device: `device.dma`
   * @returns where the device sees the arena's first byte
   * @throws VfioError as `dma.map()` does; `ERR_VFIO_UNSUPPORTED` without an IOMMU
   */
  mapFor(dma: Dma): bigint {
    const known = this.#mappings.get(instanceOf(dma, Dma, 'dma'));
    if (known?.freed === false) return known.iova;
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
}
