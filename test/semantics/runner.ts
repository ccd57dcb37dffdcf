import assert from 'node:assert/strict';
import type { FileBar } from './bar.js';
import type { Instrument } from './instrument.js';
import { inWords, type Pattern } from './pattern.js';
import { prepare, type Tier } from './tiers.js';

/** V8 decides by what it has seen; where it drops compiled code for a reason it had not met, it gets another chance. */
const attempts = 5;
const lessons = 3;

/** Runs patterns in a tier, and compares what the instrument sees with what their source asks for. */
export class Runner {
  /** Accesses that were seen and compared. */
  accesses = 0;
  readonly #zeroes: Uint8Array;

  constructor(
    private readonly bar: FileBar,
    private readonly instrument: Instrument,
    private readonly tier: Tier,
  ) {
    this.#zeroes = new Uint8Array(bar.mapping.buffer);
    // Compiled code holds these by inlining, the other tiers by calling.
    for (const accessor of accessors(bar)) prepare(accessor);
  }

  /** @throws AssertionError when another access was made, or in another tier */
  check(pattern: Pattern): void {
    const { body, once = false } = pattern;
    if (once) {
      this.#compare(pattern, pattern.argument, pattern.result);
      return;
    }
    prepare(body);
    for (let i = 0; i < lessons; i++) this.#compare(pattern, pattern.argument, pattern.result);
    this.#compile(pattern);
    if (!('surprise' in pattern)) return;
    this.#compare(pattern, pattern.surprise, pattern.surprised);
    if (this.tier.compiles) assert.equal(this.tier.holds(body), false, 'the compiled code was not surprised');
    this.#compare(pattern, pattern.argument, pattern.result);
  }

  /** A probe of the instrument itself. */
  probe(kind: number, expected: readonly string[]): void {
    this.#zeroes.fill(0);
    const seen = this.#trace(() => this.instrument.probe(kind, this.bar.address));
    // Which bytes an unknown instruction has is the compiler's business.
    assert.deepEqual(
      seen.map(text => text.replace(/ \(.*\)$/, '')),
      expected,
    );
  }

  #compile(pattern: Pattern): void {
    const { body, argument, result } = pattern;
    for (let attempt = 0; attempt < attempts; attempt++) {
      prepare(body);
      this.#compare(pattern, argument, result);
      this.tier.force(body);
      this.#compare(pattern, argument, result);
      if (!this.tier.holds(body)) continue;
      // It has compiled it; this is the call in which nothing but the compiled code runs.
      this.#compare(pattern, argument, result);
      if (this.tier.holds(body)) return;
    }
    assert.fail(`the function did not stay in ${this.tier.name}`);
  }

  #compare({ body, registers = {}, accesses }: Pattern, argument: unknown, expected: unknown): void {
    this.#zeroes.fill(0);
    for (const [offset, values] of Object.entries(registers)) this.instrument.serve(Number(offset), values);
    let result: unknown;
    const seen = this.#trace(() => (result = body(this.bar.mapping, argument)));
    this.instrument.serveNothing();
    assert.deepEqual(seen, accesses);
    assert.deepEqual(result, expected);
  }

  #trace(action: () => void): string[] {
    this.instrument.start(this.bar.address, this.bar.size);
    let seen: string[];
    try {
      action();
    } finally {
      seen = this.instrument.stop().map(inWords);
    }
    this.accesses += seen.length;
    return seen;
  }
}

/** The methods that a pattern may call. */
function accessors(bar: FileBar): ((...args: never[]) => unknown)[] {
  const { mapping } = bar;
  return Object.getOwnPropertyNames(Object.getPrototypeOf(mapping))
    .filter(name => /^(read|write)/.test(name))
    .map(name => Reflect.get(mapping, name) as () => unknown);
}
