/** `npm run test:sanitize`: the tests with the compiler's sanitizers in the addon. See `usage`. */
import { performance } from 'node:perf_hooks';
import { findProfile } from '../lab/profiles.js';
import { progressOn } from '../lab/progress.js';
import { storeResults } from '../lab/uapi/results.js';
import { labStage } from './support/runner/lab.js';
import { hostStage } from './support/runner/mocha.js';
import { count, runStages } from './support/runner/stage.js';
import { summary } from './support/runner/summary.js';
import { buildSanitizedAddon } from './support/sanitize/addon.js';
import { memoryChecks, memorySanitizer } from './support/sanitize/memory.js';
import { threadChecks, threadSanitizer } from './support/sanitize/threads.js';
import { parseOptions, runProgram } from './support/runner/program.js';

const usage = `usage: npm run test:sanitize -- [OPTIONS]

Builds the addon with AddressSanitizer and UndefinedBehaviorSanitizer, beside the real one, and runs the tests of this
machine with it. Leaks are counted at the end of the test process.

  --threads       with ThreadSanitizer instead, which finds data races
  --lab           also the tests inside the lab's virtual machine, which takes many minutes
  --only-lab      those only
  --profile NAME  that machine of the lab (default: stock); may be given several times
  --grep PATTERN  only the tests whose full title matches the regular expression; the results are not kept
  --help          show this text
`;

const minute = 60_000;

/** They compile, load or start something else than the addon of this checkout. */
const others = ['lab', 'package', 'runner', 'uapi'].map(name => `dist/test/unit/${name}/**`);

const memory = { checks: memoryChecks, instrument: memorySanitizer, prefix: 'sanitized' };
const threads = { checks: threadChecks, instrument: threadSanitizer, prefix: 'thread-sanitized' };

async function main(): Promise<number> {
  const { help, grep, profile, lab, 'only-lab': onlyLab, ...kind } = options(process.argv.slice(2));
  if (help) {
    process.stdout.write(usage);
    return 0;
  }
  const start = performance.now();
  const { checks, instrument, prefix } = kind.threads ? threads : memory;
  const profiles = (profile ?? ['stock']).map(name => findProfile(name).name);
  const addon = await progressOn(process.stdout)('compiling the addon with sanitizers', () =>
    buildSanitizedAddon(checks),
  );
  const tests = (directory: string, ignore: string[], testTimeoutMs: number) => ({
    globs: [`dist/test/${directory}/**/*.test.js`],
    ignore,
    grep,
    testTimeoutMs,
  });
  const host = hostStage(`${prefix} unit`, tests('unit', others, minute), 15 * minute, instrument(addon));
  const machines = profiles.map(profile => {
    const selection = tests('lab', ['dist/test/lab/kernel-*/**'], 5 * minute);
    const stage = labStage({ profile }, selection, 60 * minute, instrument(addon));
    return { ...stage, name: `${prefix} ${stage.name}` };
  });
  const stages = [...(onlyLab ? [] : [host]), ...(lab || onlyLab ? machines : [])];
  const results = await runStages(stages, process.stdout);
  // What was picked out by name is not what a stage stands for.
  if (grep === undefined) storeResults(results);
  const outcomes = results.flatMap(result => result.outcomes);
  process.stdout.write(summary(results, (performance.now() - start) / 1000));
  return count(outcomes, 'failed') > 0 ? 1 : 0;
}

function options(words: readonly string[]) {
  return parseOptions(words, {
    help: { type: 'boolean' },
    threads: { type: 'boolean' },
    lab: { type: 'boolean' },
    'only-lab': { type: 'boolean' },
    profile: { type: 'string', multiple: true },
    grep: { type: 'string' },
  });
}

runProgram('test:sanitize', usage, main);
