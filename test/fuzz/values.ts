/** Arguments for calls: mostly what the declaration asks for, now and then anything else. */
import type { Random } from '../support/random.js';
import { values as wrong } from '../support/wrong-values.js';
import type { Parameter, Type } from './api.js';
import { tokens } from './pool.js';

const wrongValues = Object.values(wrong);
/** What is not an object of ours, but has getters of ours: as an object of options those throw, which is its own fault. */
const impostors: readonly unknown[] = [wrong['no container'], wrong['no group']];
const harmless = wrongValues.filter(value => !impostors.includes(value));

const numbers = [0, 1, 2, 3, 4, 5, 7, 8, 12, 16, 31, 32, 63, 64, 255, 256, 4095, 4096, 8192, 65_536];
const oddNumbers = [
  -1,
  0.5,
  2 ** 20,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 32,
  2 ** 46,
  2 ** 53 - 1,
  2 ** 53,
];
/** Nothing in between: a few gigabytes may be there, and are then gone for everybody. */
const sizes = [
  1,
  16,
  64,
  4095,
  4096,
  4097,
  8192,
  65_536,
  2 ** 20,
  2 ** 21,
  2 ** 46,
  2 ** 46 + 1,
  2 ** 53 - 1,
];
const bigints = [
  0n,
  1n,
  0xfffn,
  0x1000n,
  0x10_0000n,
  0x20_0000n,
  0xfee0_0000n,
  2n ** 32n,
  2n ** 39n,
  2n ** 63n,
  2n ** 64n - 1n,
];

/** No wait may be longer: it is the whole process that waits in some of them. */
const waits = [0, 0, 1, 2];

export interface Sources {
  /** Live objects of a class, if there are any. */
  object: (name: string) => unknown;
  /** Addresses, and whatever else strings stand for. */
  strings: readonly string[];
}

export class Values {
  constructor(
    private readonly random: Random,
    private readonly sources: Sources,
  ) {}

  arguments(parameters: readonly Parameter[]): unknown[] {
    const list = parameters.map(parameter => this.of(parameter));
    const last = parameters.at(-1);
    if (last?.optional === true && !isWait(last.name) && this.random.chance(0.4)) list.pop();
    if (this.random.chance(0.01)) list.push(this.wrong());
    return list;
  }

  of({ name, type }: Parameter): unknown {
    // Leaving it out means for ever.
    if (isWait(name)) return this.random.chance(0.95) ? this.random.pick(waits) : -1;
    if (this.random.chance(0.06)) return this.random.pick(type.kind === 'class' ? wrongValues : harmless);
    if (name === 'shared' && this.random.chance(0.9)) return this.sources.object(tokens) ?? this.wrong();
    return this.#made(type, name);
  }

  wrong(): unknown {
    return this.random.pick(harmless);
  }

  #made(type: Type, name: string): unknown {
    const { random } = this;
    switch (type.kind) {
      case 'number':
        if (/^(bytes|length|size)$/.test(name)) return random.pick(sizes);
        return random.pick(random.chance(0.85) ? numbers : oddNumbers);
      case 'bigint':
        return random.pick(bigints);
      case 'string':
        return random.pick(this.sources.strings);
      case 'boolean':
        return random.chance(0.5);
      case 'literal':
        return type.value;
      case 'union':
        return this.#made(random.pick(type.of), name);
      case 'array':
        return Array.from({ length: random.below(4) }, () => this.#made(type.of, name));
      case 'object':
        return this.#object(type.properties);
      case 'class':
        return this.sources.object(type.name) ?? this.wrong();
      case 'builtin':
        return this.#builtin(type.name);
      case 'function':
        return () => undefined;
      case 'undefined':
        return undefined;
      case 'unknown':
        return this.wrong();
    }
  }

  #object(properties: readonly Parameter[]): Record<string, unknown> {
    const object: Record<string, unknown> = {};
    for (const property of properties) {
      if (isWait(property.name) || !property.optional || this.random.chance(0.3))
        object[property.name] = this.of(property);
    }
    if (this.random.chance(0.02)) object['misspelt'] = 1;
    return object;
  }

  #builtin(name: string): unknown {
    const { random } = this;
    const length = random.pick([0, 1, 4, 8, 16, 64, 4096]);
    switch (name) {
      case 'Uint8Array':
        return random.chance(0.2)
          ? new Uint8Array(new SharedArrayBuffer(length))
          : random.bytes(Math.min(length, 64));
      case 'BigUint64Array':
        return new BigUint64Array(length / 8);
      case 'SharedArrayBuffer':
        return new SharedArrayBuffer(random.pick([0, 1, 4096, 8192, 65_536]));
      case 'AbortSignal':
        return random.chance(0.5) ? AbortSignal.abort() : AbortSignal.timeout(random.below(3));
      default:
        return new Uint8Array(new SharedArrayBuffer(4096));
    }
  }
}

function isWait(name: string): boolean {
  return name === 'timeoutMs';
}
