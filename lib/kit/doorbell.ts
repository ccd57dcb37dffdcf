import { Mapping } from '../mapping';
import { instanceOf, integer, rangeError } from '../validate';

/** Whether the processor makes stores to memory and to devices in program order. */
const inOrder = process.arch === 'x64';

/** A register that is only ever written, on the path of packets: the tail of a ring, the notification of a queue. */
export interface Bell {
  /** One 32-bit store of `value`, after all stores to memory before it. */
  ring(value: number): void;
}

/**
 * A doorbell in a mapped BAR. Where the processor keeps stores in order by itself (x86) it is a store through a typed array,
 * which costs less than a nanosecond and reaches the device as it is; elsewhere it is {@link Mapping.write32}.
 *
 * After the mapping has closed ringing does nothing.
 */
export class Doorbell implements Bell {
  /** @internal */
  readonly mapping: Mapping;
  /** @internal */
  readonly offset: number;
  /** @internal One word, where a plain store will do. */
  readonly word: Uint32Array | undefined;

  /** @param offset of the register in the mapping, a multiple of 4 */
  constructor(mapping: Mapping, offset: number) {
    this.mapping = instanceOf(mapping, Mapping, 'mapping');
    this.offset = integer(offset, 'offset', 0, mapping.size - 4);
    if (offset % 4 !== 0) throw rangeError('offset', 'a multiple of 4', offset);
    this.word = inOrder ? new Uint32Array(mapping.buffer, offset, 1) : undefined;
  }

  ring(value: number): void {
    const { word } = this;
    if (word !== undefined) word[0] = value;
    else if (!this.mapping.closed) this.mapping.write32(this.offset, value);
  }
}
