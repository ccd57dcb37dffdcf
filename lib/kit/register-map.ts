import type { Registers } from '../registers';
import { coded, hex, integer, rangeError, show, typeError, valueError } from '../validate';
import {
  ClearOnReadRegister,
  ClearOnWriteRegister,
  ReadOnlyRegister,
  ReadWriteRegister,
  RegisterArray,
  WriteOnlyRegister,
} from './registers';

/** A run of bits within a register. */
export interface Field {
  /** The lowest bit. */
  readonly shift: number;
  /** How many bits. */
  readonly bits: number;
}

/** The field that is one bit. */
export function bit(shift: number): Field {
  return { shift, bits: 1 };
}

/** The field from bit `high` down to bit `low`, as datasheets write `7:4`. */
export function bits(high: number, low: number): Field {
  return { shift: low, bits: high - low + 1 };
}

/**
 * What may be done with a register:
 *
 * - `rw` read and written;
 * - `ro` only read;
 * - `wo` only written: what it reads as means nothing;
 * - `w1c` read, and bits cleared by writing ones to them;
 * - `rc` cleared by reading it, so each read is of consequence.
 */
export type AccessKind = 'rw' | 'ro' | 'wo' | 'w1c' | 'rc';

/** Fields by name. */
export type Fields = Readonly<Record<string, Field>>;

/** A register as {@link defineRegisters} takes it. */
export interface RegisterSpec<A extends AccessKind = AccessKind, F extends Fields = Fields> {
  /** Bytes from the start of the BAR. */
  readonly offset: number;
  readonly access: A;
  /** Of every access, in bits. Default 32. */
  readonly width?: 8 | 16 | 32;
  readonly fields?: F;
  /** How many there are, for an array of them. */
  readonly count?: number;
  /** Bytes from one of an array to the next. Default its width. */
  readonly stride?: number;
}

// eslint-disable-next-line @typescript-eslint/no-generated-empty-object-type -- no field has a name then
type NoFields = Readonly<Record<never, Field>>;
type FieldsOf<S extends RegisterSpec> = S extends { readonly fields: infer F extends Fields } ? F : NoFields;

type Single<S extends RegisterSpec> = {
  rw: ReadWriteRegister<FieldsOf<S>>;
  ro: ReadOnlyRegister<FieldsOf<S>>;
  wo: WriteOnlyRegister<FieldsOf<S>>;
  w1c: ClearOnWriteRegister<FieldsOf<S>>;
  rc: ClearOnReadRegister<FieldsOf<S>>;
}[S['access']];

/** What a specification becomes: an object that can do what its access kind allows. */
export type RegisterOf<S extends RegisterSpec> = S extends { readonly count: number }
  ? RegisterArray<Single<S>>
  : Single<S>;

/** All registers of a map, over the registers of one device. */
export type RegisterBlock<M extends Readonly<Record<string, RegisterSpec>>> = {
  readonly [Name in keyof M]: RegisterOf<M[Name]>;
};

/** The registers of a kind of device. */
export interface RegisterMap<M extends Readonly<Record<string, RegisterSpec>>> {
  readonly specs: M;
  /**
   * The registers of one device: `const regs = map.over(device.bar(0).map())`. Each operation of the objects in it is one
   * access of the register's width, or says that it is two.
   *
   * @throws RangeError when a register lies outside of `registers`
   */
  over(registers: Registers): RegisterBlock<M>;
}

const classes = {
  rw: ReadWriteRegister,
  ro: ReadOnlyRegister,
  wo: WriteOnlyRegister,
  w1c: ClearOnWriteRegister,
  rc: ClearOnReadRegister,
} as const;

/**
 * Describes the registers of a kind of device, once, as its datasheet does; TypeScript then knows each by name, with its
 * fields, and refuses what its access kind does not allow.
 *
 * ```ts
 * const map = defineRegisters({
 *   CTRL: { offset: 0x0, access: 'rw', fields: { SLU: bit(6), RST: bit(26) } },
 *   STATUS: { offset: 0x8, access: 'ro', fields: { LU: bit(1), SPEED: bits(7, 6) } },
 *   ICR: { offset: 0xc0, access: 'w1c', fields: { LSC: bit(2) } },
 *   GPRC: { offset: 0x4074, access: 'rc' },
 *   MTA: { offset: 0x5200, access: 'wo', count: 128 },
 * });
 * const regs = map.over(device.bar(0).map());
 * regs.CTRL.update({ RST: 1 });
 * if (regs.STATUS.get('LU') === 1) …
 * ```
 *
 * @throws RangeError, TypeError naming the register for an offset that is not a multiple of the width, fields that overlap or
 *   do not fit, an unknown access kind
 */
export function defineRegisters<const M extends Readonly<Record<string, RegisterSpec>>>(
  specs: M,
): RegisterMap<M> {
  for (const [name, spec] of Object.entries(specs)) checkSpec(name, spec);
  return {
    specs,
    over: registers => {
      const entries = Object.entries(specs).map(([name, spec]) => [name, instantiate(name, spec, registers)]);
      return Object.freeze(Object.fromEntries(entries)) as RegisterBlock<M>;
    },
  };
}

function instantiate(name: string, spec: RegisterSpec, registers: Registers): unknown {
  const { offset, access, width = 32, fields = {}, count, stride = width / 8 } = spec;
  const end = offset + stride * ((count ?? 1) - 1) + width / 8;
  if (end > registers.size) {
    throw rangeError(`register ${name}`, `inside the ${hex(registers.size)} bytes it is laid over`, offset);
  }
  const one = (index: number): InstanceType<(typeof classes)[AccessKind]> =>
    new classes[access](
      registers,
      offset + index * stride,
      width,
      fields,
      count === undefined ? name : `${name}[${index}]`,
    );
  if (count === undefined) return one(0);
  return new RegisterArray(
    name,
    Array.from({ length: count }, (_, i) => one(i)),
  );
}

function checkSpec(name: string, spec: RegisterSpec): void {
  const what = `register ${name}`;
  const { offset, access, width = 32, fields = {}, count, stride = width / 8 } = spec;
  if (![8, 16, 32].includes(width)) throw valueError(`${what}: width`, '8, 16 or 32', width);
  if (!Object.hasOwn(classes, access)) {
    throw valueError(`${what}: access`, `one of ${Object.keys(classes).join(', ')}`, access);
  }
  integer(offset, `${what}: offset`, 0, 2 ** 40);
  if (offset % (width / 8) !== 0) throw rangeError(`${what}: offset`, `a multiple of ${width / 8}`, offset);
  if (count !== undefined) integer(count, `${what}: count`, 1, 65536);
  integer(stride, `${what}: stride`, width / 8, 2 ** 20);
  if (stride % (width / 8) !== 0) throw rangeError(`${what}: stride`, `a multiple of ${width / 8}`, stride);
  let taken = 0n;
  for (const [field, spec] of Object.entries(fields)) {
    const where = `${what}: field ${field}`;
    if (typeof (spec as unknown) !== 'object') throw typeError(where, 'made by bit() or bits()', spec);
    integer(spec.shift, `${where}: lowest bit`, 0, width - 1);
    integer(spec.bits, `${where}: number of bits`, 1, width - spec.shift);
    const mask = ((1n << BigInt(spec.bits)) - 1n) << BigInt(spec.shift);
    if ((taken & mask) !== 0n) {
      throw coded(new RangeError(`${where} overlaps another: ${show(spec)}`), 'ERR_OUT_OF_RANGE');
    }
    taken |= mask;
  }
}
