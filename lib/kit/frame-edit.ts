import { bytes, coded, integer, show, typeError } from '../validate';

/**
 * A change that a {@link Forwarder} makes to each frame on its way:
 *
 * - `write`: bytes at an offset, such as a destination and source address;
 * - `swap`: exchanges two runs of bytes, such as the two addresses;
 * - `add`: adds a number to the byte at an offset, modulo 256, such as -1 to a time to live.
 *
 * Offsets count from the first byte of the frame and lie within its first 256 bytes: shorter frames are changed in what is
 * behind them in their buffer, which is never sent.
 */
export type FrameEdit =
  | { readonly kind: 'write'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'swap'; readonly at: number; readonly with: number; readonly length: number }
  | { readonly kind: 'add'; readonly at: number; readonly value: number };

/** How much of a frame can be edited: the least size of a buffer. */
const EDITABLE = 256;

/** @internal */
export function checkEdit(edit: FrameEdit, name: string): FrameEdit {
  const { kind } = edit;
  const place = (at: number, length: number, what: string): void => {
    integer(at, `${name}.${what}`, 0, EDITABLE - length);
  };
  if (kind === 'write') {
    const { length } = bytes(edit.bytes, `${name}.bytes`);
    integer(length, `${name}.bytes.length`, 1, EDITABLE);
    place(edit.at, length, 'at');
    return { kind, at: edit.at, bytes: Uint8Array.from(edit.bytes) };
  }
  if (kind === 'swap') {
    const length = integer(edit.length, `${name}.length`, 1, 16);
    place(edit.at, length, 'at');
    place(edit.with, length, 'with');
    if (Math.abs(edit.at - edit.with) < length) {
      throw coded(
        new RangeError(
          `${name}: the bytes at ${edit.at} and at ${edit.with} overlap, ${length} of each cannot be exchanged`,
        ),
        'ERR_OUT_OF_RANGE',
      );
    }
    return edit;
  }
  if ((kind as string) === 'add') {
    place(edit.at, 1, 'at');
    integer(edit.value, `${name}.value`, -255, 255);
    return edit;
  }
  throw typeError(`${name}.kind`, `'write', 'swap' or 'add'`, show(kind));
}
