import { integer, rangeError, typeError } from './validate';

/**
 * Registers of a device, whether reached through memory ({@link Mapping}) or through system calls ({@link Region},
 * {@link PciConfig}): code above it need not know which.
 *
 * Each call is exactly one access of exactly that width, in program order, also when the result of a read is not used.
 * Offsets are bytes, must be multiples of the width, and must lie inside. Values are little-endian, as PCI is.
 */
export interface Registers {
  /** Bytes. */
  readonly size: number;
  read8(offset: number): number;
  read16(offset: number): number;
  /** An unsigned number. */
  read32(offset: number): number;
  read64(offset: number): bigint;
  /** @param value 0 to 0xff */
  write8(offset: number, value: number): void;
  /** @param value 0 to 0xffff */
  write16(offset: number, value: number): void;
  /** @param value -2^31 to 2^32 - 1: the signed results of `|`, `&`, `~` and `<<` are taken as they are */
  write32(offset: number, value: number): void;
  /** @param value 0 to 2^64 - 1 */
  write64(offset: number, value: bigint): void;
}

/** An access width in bytes. */
export type Width = 1 | 2 | 4 | 8;

export function checkOffset(
  offset: unknown,
  width: Width,
  size: number,
  where: string,
): asserts offset is number {
  if (size < width)
    throw rangeError(`offset`, `inside ${where}, which has ${size} bytes`, integer(offset, 'offset', 0, 0));
  integer(offset, 'offset', 0, size - width);
  if ((offset as number) % width !== 0)
    throw rangeError('offset', `a multiple of ${width}`, offset as number);
}

export function checkValue(value: unknown, width: 1 | 2 | 4): asserts value is number {
  if (width === 4) integer(value, 'value', -(2 ** 31), 2 ** 32 - 1);
  else integer(value, 'value', 0, 2 ** (8 * width) - 1);
}

export function checkValue64(value: unknown): asserts value is bigint {
  if (typeof value !== 'bigint') throw typeError('value', 'a bigint', value);
  if (value < 0n || value > 0xffff_ffff_ffff_ffffn) throw rangeError('value', 'from 0 to 2^64 - 1', value);
}
