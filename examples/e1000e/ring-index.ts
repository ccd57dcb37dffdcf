/**
 * Arithmetic on descriptor rings (7.1.8 and 7.2.4).
 *
 * The device owns the descriptors from the head up to, not including, the tail; head equal to tail means it owns
 * none. So a ring of n descriptors never holds more than n - 1 for the device.
 */

/** RDLEN and TDLEN count bytes in steps of 128, which is 8 descriptors; they have room for 64 Ki descriptors. */
export function checkRingSize(size: number): void {
  if (!Number.isInteger(size) || size < 8 || size > 65536 || size % 8 !== 0) {
    throw new RangeError(`A ring has a multiple of 8 descriptors, from 8 to 65536, not ${size}.`);
  }
}

export function next(index: number, size: number): number {
  return index + 1 === size ? 0 : index + 1;
}

/** How many steps lead from `from` to `to`, going forward. */
export function distance(from: number, to: number, size: number): number {
  return to >= from ? to - from : to - from + size;
}
