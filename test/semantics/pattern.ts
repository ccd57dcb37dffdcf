import type { Mapping } from '../../lib/mapping.js';
import type { Access } from './instrument.js';

/** A piece of driver code, and the accesses that its source asks for. */
export interface Pattern<Argument = unknown> {
  title: string;
  /** What is in registers: by offset one value for each read, the last one for ever. Elsewhere is 0, or what was written. */
  registers?: Readonly<Record<number, readonly bigint[]>>;
  body: (registers: Mapping, argument: Argument) => unknown;
  /** What it is called with until V8 has learnt from it. */
  argument?: Argument;
  /** What it is then called with, which is not what V8 has learnt: the compiled code is thrown away in the middle. */
  surprise?: Argument;
  /** How often it is called; a long one warms up by itself. Default: until it has been compiled. */
  once?: boolean;
  accesses: readonly string[];
  result?: unknown;
  /** The result after the surprise. */
  surprised?: unknown;
}

/** Keeps the types of the argument together. */
export function pattern<Argument>(given: Pattern<Argument>): Pattern {
  return given as Pattern;
}

/** An access in words; those of a pattern and those that were seen are compared as such. */
export const read = (bits: number, offset: number, value: bigint | number = 0): string =>
  `read${bits} 0x${offset.toString(16)} 0x${value.toString(16)}`;
export const write = (bits: number, offset: number, value: bigint | number): string =>
  `write${bits} 0x${offset.toString(16)} 0x${value.toString(16)}`;

export function inWords({ offset, width, reads, writes, value, code }: Access): string {
  if (width === 0) return `an access at 0x${offset.toString(16)} by an unknown instruction (${code})`;
  if (reads && writes) return `read and ${write(width * 8, offset, value)}`;
  return (reads ? read : write)(width * 8, offset, value);
}

/** The same thing again and again. */
export function times<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}
