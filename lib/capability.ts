/** Capability chains of `VFIO_*_GET_INFO`: what the library knows is decoded, what it does not know is kept as it came. */
import type { RawCapability } from './native';

/** An entry of a capability chain that this version of the library has no name for. */
export interface UnknownCapability {
  readonly id: number;
  readonly version: number;
  /** What follows the 8-byte header, as the kernel gave it. */
  readonly data: Uint8Array;
}

/** Reads little fixed-layout structs; a truncated one reads as zeroes rather than failing the whole open. */
export class StructReader {
  readonly #view: DataView;

  constructor(readonly data: Uint8Array) {
    this.#view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  }

  u32(offset: number): number {
    return offset + 4 <= this.data.length ? this.#view.getUint32(offset, true) : 0;
  }

  u64(offset: number): bigint {
    return offset + 8 <= this.data.length ? this.#view.getBigUint64(offset, true) : 0n;
  }
}

/** The first capability with that id, as a reader of what follows its header. */
export function findCapability(chain: readonly RawCapability[], id: number): StructReader | undefined {
  const found = chain.find(one => one.id === id);
  return found && new StructReader(found.data);
}

/** Those whose id is not in `known`. */
export function unknownCapabilities(
  chain: readonly RawCapability[],
  known: readonly number[],
): UnknownCapability[] {
  return chain.filter(one => !known.includes(one.id)).map(one => Object.freeze({ ...one }));
}
