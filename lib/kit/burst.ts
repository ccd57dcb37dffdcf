import { instanceOf, integer } from '../validate';
import { Arena } from './arena';

/** The most frames a burst has room for. */
const MAX_BURST = 4096;

/**
 * Room for the handles and lengths of some frames: what receiving fills and sending takes. One is enough for a loop, over
 * any number of NICs; nothing in it is allocated anew.
 *
 * The hot way to its contents is {@link words}: frame `i` has its handle at `2 * i` and its length at `2 * i + 1`.
 */
export class Burst {
  declare readonly arena: Arena;
  /** How many frames it has room for. */
  declare readonly capacity: number;
  /** Handle, length, handle, length, … */
  declare readonly words: Uint32Array;
  /** @internal Where {@link words} is in the arena. */
  declare readonly offset: number;

  /** @param capacity 1 to 4,096 */
  constructor(arena: Arena, capacity: number) {
    this.arena = instanceOf(arena, Arena, 'arena');
    this.capacity = integer(capacity, 'capacity', 1, MAX_BURST);
    this.offset = arena.alloc(8 * capacity);
    this.words = new Uint32Array(arena.buffer, arena.byteOffset + this.offset, 2 * capacity);
  }

  /** The handle of frame `i`: the offset of its first byte in the arena. */
  handle(i: number): number {
    return this.words[2 * i] as number;
  }

  /** The length of frame `i` in bytes, without CRC. */
  length(i: number): number {
    return this.words[2 * i + 1] as number;
  }

  /** Sets frame `i`, for sending. */
  set(i: number, handle: number, length: number): void {
    this.words[2 * i] = handle;
    this.words[2 * i + 1] = length;
  }
}
