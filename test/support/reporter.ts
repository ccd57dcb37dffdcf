import { openSync, writeSync } from 'node:fs';
import { beginClaims, endClaims, expectClaims } from './covers.js';
import { errorText, indent } from './error-text.js';
import type { TestRecord } from './records.js';
import { skipReason } from './skip.js';

/** How many milliseconds a process may take to end when its tests are done: `--reporter-option grace=N`. */
const defaultGrace = '10000';

/**
 * The mocha reporter of this package: a line for each test, every failure in full at the end, and with
 * `--reporter-option output=FILE` the records of `records.ts` for the runner.
 *
 * It also sees to what mocha lets pass: a test skipped without a reason fails, and so does a process that something keeps
 * alive after the last test, for that is a leak.
 */
export default class Reporter {
  readonly #runner: Mocha.Runner;
  readonly #output: number | undefined;
  readonly #graceMs: number;
  readonly #failures: { title: readonly string[]; detail: string }[] = [];
  #depth = 0;
  #passed = 0;
  #skipped = 0;

  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    const given = (options.reporterOptions ?? {}) as { output?: string; grace?: string };
    const { output, grace = defaultGrace } = given;
    this.#graceMs = Number(grace);
    this.#runner = runner;
    this.#output = output === undefined ? undefined : openSync(output, 'a');
    expectClaims();
    runner.on('suite', suite => this.#beginSuite(suite));
    runner.on('suite end', () => this.#depth--);
    runner.on('test', test => this.#begin(test));
    runner.on('pass', test => this.#pass(test));
    runner.on('fail', (test, error: unknown) => this.#fail(test, errorText(error)));
    runner.on('pending', test => this.#skip(test));
    runner.on('end', () => this.#end());
  }

  #beginSuite(suite: Mocha.Suite): void {
    this.#depth++;
    if (suite.root) this.#depth = 0;
    else this.#print(suite.title);
  }

  #begin(test: Mocha.Test): void {
    beginClaims();
    this.#record({ event: 'begin', title: test.titlePath() });
  }

  #pass(test: Mocha.Test): void {
    this.#passed++;
    const evidence = endClaims(test);
    const { duration = 0 } = test;
    this.#print(`  ok ${test.title}${duration > test.slow() ? ` (${duration} ms)` : ''}`);
    const end = { event: 'end', title: test.titlePath(), state: 'passed' } as const;
    this.#record(evidence === undefined ? end : { ...end, evidence });
  }

  #fail(test: Mocha.Runnable, detail: string): void {
    endClaims(test);
    this.#failures.push({ title: test.titlePath(), detail });
    this.#print(`  ${this.#failures.length}) FAILED ${test.title}`);
    this.#record({ event: 'end', title: test.titlePath(), state: 'failed', detail });
  }

  #skip(test: Mocha.Test): void {
    const detail = skipReason(test);
    if (detail === undefined) {
      this.#fail(test, "skipped without a reason: skip(this, 'why') of test/support/skip.ts is how to skip");
      this.#runner.failures++;
      return;
    }
    this.#skipped++;
    this.#print(`  -- ${test.title} (skipped: ${detail})`);
    this.#record({ event: 'end', title: test.titlePath(), state: 'skipped', detail });
  }

  #end(): void {
    this.#depth = 0;
    for (const [i, { title, detail }] of this.#failures.entries()) {
      process.stdout.write(`\n${i + 1}) ${title.join(' > ')}\n${indent(detail, '   ')}\n`);
    }
    this.#print(`\n${this.#passed} passed, ${this.#failures.length} failed, ${this.#skipped} skipped`);
    this.#record({ event: 'done' });
    // Only runs when something else keeps the loop alive.
    setTimeout(() => this.#stuck(), this.#graceMs).unref();
  }

  #stuck(): never {
    const resources = process.getActiveResourcesInfo().join(', ') || 'nothing that Node knows of';
    const detail = `still alive ${this.#graceMs / 1000} s after the last test, by: ${resources}`;
    this.#print(`the test process is ${detail}`);
    this.#record({ event: 'stuck', detail });
    // Mocha puts its own exit code in place at the end, so this one has to come later.
    process.on('exit', () => {
      process.exitCode = 1;
    });
    process.exit();
  }

  #print(line: string): void {
    process.stdout.write(`${indent(line, '  '.repeat(Math.max(0, this.#depth - 1)))}\n`);
  }

  #record(record: TestRecord): void {
    if (this.#output !== undefined) writeSync(this.#output, `${JSON.stringify(record)}\n`);
  }
}
