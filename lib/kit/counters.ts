import { coded, valueError } from '../validate';

/** A counter of a device. */
export interface CounterSource {
  /** Reads it once. */
  readonly read: () => number;
  /**
   * What it does: `'clears'` when reading it sets it to 0; otherwise how many bits it counts in before it starts again at 0,
   * and then it must be read before it has gone round twice.
   */
  readonly kind: 'clears' | 8 | 16 | 32;
}

/** Adds up the counters of a device, which are small, or forget what was read. */
export class Counters<Name extends string> {
  readonly #sources: readonly (readonly [Name, CounterSource])[];
  readonly #totals = new Map<Name, number>();
  readonly #last = new Map<Name, number>();

  /** Counting starts here: what the counters hold now is not counted. */
  constructor(sources: Readonly<Record<Name, CounterSource>>) {
    this.#sources = Object.entries(sources) as [Name, CounterSource][];
    for (const [name, source] of this.#sources) {
      if (!(['clears', 8, 16, 32] as unknown[]).includes(source.kind)) {
        throw valueError(`the kind of counter ${name}`, "'clears', 8, 16 or 32", source.kind);
      }
      this.#last.set(name, source.read());
      this.#totals.set(name, 0);
    }
  }

  /** What the device has counted since {@link Counters} was made. Each counter is read once. */
  read(): Record<Name, number> {
    for (const [name, { kind, read }] of this.#sources) {
      const value = read();
      const more = kind === 'clears' ? value : wrapped(value - (this.#last.get(name) ?? 0), kind);
      this.#last.set(name, value);
      this.#totals.set(name, (this.#totals.get(name) ?? 0) + more);
    }
    return Object.fromEntries(this.#totals) as Record<Name, number>;
  }

  /** One total, as of the last {@link read}. */
  last(name: Name): number {
    const total = this.#totals.get(name);
    if (total === undefined) {
      const known = [...this.#totals.keys()].join(', ');
      throw coded(
        new TypeError(`there is no counter '${name}'; there are: ${known}`),
        'ERR_INVALID_ARG_VALUE',
      );
    }
    return total;
  }
}

/** A difference of two values of a counter that starts again at 0. */
function wrapped(difference: number, bits: number): number {
  return difference < 0 ? difference + 2 ** bits : difference;
}
