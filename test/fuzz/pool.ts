/** The objects of a session that calls are made on, by class, and their end. */
import type { Random } from '../support/random.js';

/** How many of a class there are at most: the oldest is closed for the next. */
const most = 12;

/** What stays open until somebody closes it, as its documentation says. */
const mustBeClosed = ['Device', 'Group', 'Container', 'Iommufd', 'Ioas', 'Binding', 'DmaBuffer'];

/** What `share()` returns is plain data, and no class of the API: it goes by this name. */
export const tokens = 'Shared';

const closers = ['close', 'free', 'restore'] as const;

export class Pool {
  readonly #objects = new Map<string, object[]>();
  readonly #known = new Set<object>();

  /** @param classes the exported classes, the more particular ones before those they extend */
  constructor(
    private readonly random: Random,
    private readonly classes: readonly [string, { readonly prototype: object }][],
  ) {}

  /** Takes a result in if it is, or holds, an object of the API. */
  add(value: unknown): void {
    if (Array.isArray(value)) for (const one of value.slice(0, 3)) this.add(one);
    if (typeof value !== 'object' || value === null || this.#known.has(value)) return;
    const name = this.#classOf(value);
    if (name === undefined) return;
    this.#known.add(value);
    const list = this.#objects.get(name) ?? [];
    this.#objects.set(name, list);
    list.push(value);
    // What fails now, for a reason that was injected, is tried again at the end.
    if (list.length > most) end(list.shift())?.catch(() => undefined);
  }

  #classOf(value: object): string | undefined {
    if ('vfio' in value && 'key' in value) return tokens;
    return this.classes.find(([, { prototype }]) =>
      Object.prototype.isPrototypeOf.call(prototype, value),
    )?.[0];
  }

  get(name: string): unknown {
    const list = this.#objects.get(name) ?? [];
    // A Region is also what a PciConfig is.
    if (list.length === 0) return undefined;
    return this.random.pick(list);
  }

  /** Any object, with its class; each class as often as the others. */
  any(): { name: string; object: object } | undefined {
    const names = [...this.#objects].filter(([, list]) => list.length > 0);
    if (names.length === 0) return undefined;
    const [name, list] = this.random.pick(names);
    return { name, object: this.random.pick(list) };
  }

  /** Forgets one, so that the garbage collector has its turn with objects that nobody closed. */
  drop(): void {
    const found = this.any();
    if (found === undefined || mustBeClosed.includes(found.name)) return;
    this.#known.delete(found.object);
    const list = this.#objects.get(found.name) ?? [];
    list.splice(list.indexOf(found.object), 1);
  }

  /** Ends everything, the youngest first; returns why some would not. Those are kept for the next time. */
  async close(): Promise<unknown[]> {
    let failures: unknown[] = [];
    // Some wait for others to end.
    for (let round = 0; round < 3; round++) {
      failures = [];
      for (const object of [...this.#known].reverse()) {
        try {
          await end(object);
          this.#known.delete(object);
        } catch (error) {
          failures.push(error);
        }
      }
    }
    this.#objects.clear();
    return failures;
  }
}

function end(object: object | undefined): Promise<void> | undefined {
  const target = object as Partial<Record<string, () => unknown>>;
  const closer = closers.find(name => typeof target[name] === 'function');
  if (closer === undefined) return undefined;
  return (async () => {
    await target[closer]?.call(object);
  })();
}
