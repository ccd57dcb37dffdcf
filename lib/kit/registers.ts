import type { Registers } from '../registers';
import { coded, integer, rangeError } from '../validate';
import type { Field, Fields } from './register-map';

/** Values for some of a register's fields. */
export type FieldValues<F extends Fields> = { readonly [Name in keyof F]?: number };

/** What all registers have: a place, a width, and fields. */
abstract class Register<F extends Fields> {
  /** @internal */
  constructor(
    /** @internal */
    protected readonly io: Registers,
    /** Bytes from the start of what it is in. */
    readonly offset: number,
    /** Bits of each access. */
    readonly width: 8 | 16 | 32,
    readonly fields: F,
    readonly name: string,
  ) {}

  /** The value of a field within a value of the register. No access. */
  extract(field: keyof F & string, value: number): number {
    const { shift, bits } = this.field(field);
    return bits === 32 ? value >>> 0 : (value >>> shift) & (2 ** bits - 1);
  }

  /** The register's value with these fields, and zeroes elsewhere (or what `base` has there). No access. */
  compose(values: FieldValues<F>, base = 0): number {
    let result = base;
    for (const name in values) {
      const { shift, bits } = this.field(name);
      const value = values[name] as number;
      integer(value, `field ${name} of ${this.name}`, 0, 2 ** bits - 1);
      const mask = bits === 32 ? 0xffffffff : (2 ** bits - 1) << shift;
      result = (result & ~mask) | (value << shift);
    }
    return result >>> 0;
  }

  /** @internal */
  protected field(name: string): Field {
    const field = Object.hasOwn(this.fields, name) ? this.fields[name] : undefined;
    if (field !== undefined) return field;
    const known = Object.keys(this.fields).join(', ') || 'none';
    throw coded(
      new TypeError(`${this.name} has no field '${name}'; it has: ${known}`),
      'ERR_INVALID_ARG_VALUE',
    );
  }

  /** @internal */
  protected load(): number {
    if (this.width === 32) return this.io.read32(this.offset);
    return this.width === 16 ? this.io.read16(this.offset) : this.io.read8(this.offset);
  }

  /** @internal */
  protected store(value: number): void {
    if (this.width === 32) this.io.write32(this.offset, value);
    else if (this.width === 16) this.io.write16(this.offset, value);
    else this.io.write8(this.offset, value);
  }
}

/** A register that can only be read. */
export class ReadOnlyRegister<F extends Fields = Fields> extends Register<F> {
  /** One access. */
  read(): number {
    return this.load();
  }

  /** A field, by one access. For several of one moment: {@link read}, then {@link extract}. */
  get(field: keyof F & string): number {
    return this.extract(field, this.load());
  }
}

/** A register that can be read and written. */
export class ReadWriteRegister<F extends Fields = Fields> extends ReadOnlyRegister<F> {
  /** One access. */
  write(value: number): void {
    this.store(value);
  }

  /** These fields, and zeroes elsewhere, by one access. */
  set(values: FieldValues<F>): void {
    this.store(this.compose(values));
  }

  /** Changes these fields and keeps the others: a read, then a write. */
  update(values: FieldValues<F>): void {
    this.store(this.compose(values, this.load()));
  }
}

/** A register that can only be written. */
export class WriteOnlyRegister<F extends Fields = Fields> extends Register<F> {
  /** One access. */
  write(value: number): void {
    this.store(value);
  }

  /** These fields, and zeroes elsewhere, by one access. */
  set(values: FieldValues<F>): void {
    this.store(this.compose(values));
  }
}

/** A register whose bits are cleared by writing ones to them. It has no `update`, which would clear what it keeps. */
export class ClearOnWriteRegister<F extends Fields = Fields> extends ReadOnlyRegister<F> {
  /** Clears the bits of `mask`, by one access; default all. */
  clear(mask = 2 ** this.width - 1): void {
    this.store(mask);
  }

  /** Clears all bits of these fields, by one access. */
  clearFields(...fields: (keyof F & string)[]): void {
    let mask = 0;
    for (const name of fields) {
      const { shift, bits } = this.field(name);
      mask |= bits === 32 ? -1 : (2 ** bits - 1) << shift;
    }
    this.store(mask >>> 0);
  }
}

/** A register that reading clears. */
export class ClearOnReadRegister<F extends Fields = Fields> extends Register<F> {
  /** What has gathered in it since it was last taken, by one access. */
  take(): number {
    return this.load();
  }
}

/** Several registers of one kind. */
export class RegisterArray<R> {
  /** @internal */
  constructor(
    readonly name: string,
    private readonly all: readonly R[],
  ) {}

  get length(): number {
    return this.all.length;
  }

  /** @throws RangeError when there is none of that index */
  at(index: number): R {
    const one = this.all[index];
    if (one === undefined) {
      throw rangeError(`index of ${this.name}`, `an integer from 0 to ${this.all.length - 1}`, index);
    }
    return one;
  }

  [Symbol.iterator](): IterableIterator<R> {
    return this.all.values();
  }
}
