/** `npm run test:sanitize`: the tests with AddressSanitizer and UndefinedBehaviorSanitizer in the addon. See `usage`. */
import { performance } from 'node:perf_hooks';
import { progressOn } from '../lab/progress.js';
import { storeResults } from '../lab/uapi/results.js';
import { labStage } from './support/runner/lab.js';
import { hostStage } from './support/runner/mocha.js';
import { count, runStages } from './support/runner/stage.js';
import { summary } from './support/runner/summary.js';
import { buildSanitizedAddon } from './support/sanitize/addon.js';
import { sanitizers } from './support/sanitize/instrument.js';
import { parseOptions, runProgram } from './support/runner/program.js';

const usage = `usage: npm run test:sanitize -- [OPTIONS]

Builds the addon with AddressSanitizer and UndefinedBehaviorSanitizer, beside the real one, and runs the tests of this
machine with it. Leaks are counted at the end of the test process.

  --lab           also the tests inside the lab's virtual machine, which takes many minutes
  --only-lab      those only
  --profile NAME  that machine of the lab (default: stock)
  --grep PATTERN  only the tests whose full title matches the regular expression
  --help          show this text
`;

const minute = 60_000;

/** They compile, load or start something else than the addon of this checkout. */
const others = ['dist/test/unit/package/**', 'dist/test/unit/runner/**'];

async function main(): Promise<number> {
  const { help, grep, profile = 'stock', lab, 'only-lab': onlyLab } = options(process.argv.slice(2));
  if (help) {
    process.stdout.write(usage);
    return 0;
  }
  const start = performance.now();
  const addon = await progressOn(process.stdout)('compiling the addon with sanitizers', buildSanitizedAddon);
  const instrument = sanitizers(addon);
  const tests = (directory: string, ignore: string[], testTimeoutMs: number) => ({
    globs: [`dist/test/${directory}/**/*.test.js`],
    ignore,
    grep,
    testTimeoutMs,
  });
  const host = hostStage('sanitized unit', tests('unit', others, minute), 15 * minute, instrument);
  const machine = labStage(
    { profile },
    tests('lab', ['dist/test/lab/kernel-*/**'], 5 * minute),
    60 * minute,
    instrument,
  );
  const stages = [...(onlyLab ? [] : [host]), ...(lab || onlyLab ? [machine] : [])];
  const results = await runStages(stages, process.stdout);
  // What was picked out by name is not what a stage stands for; and the lab's stage has a name of the plain tests.
  if (grep === undefined) storeResults(results.filter(({ name }) => name === 'sanitized unit'));
  const outcomes = results.flatMap(result => result.outcomes);
  process.stdout.write(summary(results, (performance.now() - start) / 1000));
  return count(outcomes, 'failed') > 0 ? 1 : 0;
}

function options(words: readonly string[]) {
  return parseOptions(words, {
    help: { type: 'boolean' },
    lab: { type: 'boolean' },
    'only-lab': { type: 'boolean' },
    profile: { type: 'string' },
    grep: { type: 'string' },
  });
}

runProgram('test:sanitize', usage, main);
