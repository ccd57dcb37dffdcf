/** `npm test`: lint, the tests of this machine, and those inside the lab's virtual machine. See `usage`. */
import { constants } from 'node:os';
import { performance } from 'node:perf_hooks';
import { storeResults } from '../lab/uapi/results.js';
import { profileTests } from './lab/profiles.js';
import {
  onlyWhenNamed,
  type Part,
  parseArguments,
  type RunArguments,
  usage,
} from './support/runner/arguments.js';
import { labStage } from './support/runner/lab.js';
import { lintStage } from './support/runner/lint.js';
import { hostStage, type Selection } from './support/runner/mocha.js';
import { count, runStages, type Stage } from './support/runner/stage.js';
import { summary } from './support/runner/summary.js';

const minute = 60_000;

/** In the order in which they are started: the longest first. */
function stages({ only, grep, profiles }: RunArguments): Stage[] {
  const below = (directory: string): Selection => ({ globs: [`dist/test/${directory}/**/*.test.js`], grep });
  const chosen = profiles.length > 0 ? profiles : ['stock', ...Object.keys(profileTests)];
  const labs = chosen.map(profile => labStage({ profile }, labTests(profile, grep), 10 * minute));
  const all: { part: Part; stage: Stage }[] = [
    ...labs.slice(0, 1).map(stage => ({ part: 'lab' as const, stage })),
    { part: 'unit', stage: hostStage('unit', below('unit'), 5 * minute) },
    { part: 'lint', stage: lintStage },
    { part: 'lab-host', stage: hostStage('lab-host', below('lab-host'), 5 * minute) },
    ...labs.slice(1).map(stage => ({ part: 'lab' as const, stage })),
    { part: 'nics', stage: labStage({ profile: 'nics' }, nics(grep), 15 * minute) },
    { part: 'programs', stage: labStage({ profile: 'stock' }, programs(grep), 15 * minute) },
  ];
  const wanted = (part: Part): boolean =>
    only.length === 0 ? !onlyWhenNamed.includes(part) : only.includes(part);
  return all.filter(({ part }) => wanted(part)).map(({ stage }) => stage);
}

/** All but those that only a particular other machine can run, and those that wait for slots: the matrix runs all. */
function labTests(profile: string, grep: string | undefined): Selection {
  const special = profileTests[profile];
  const globs = (special ?? ['**/*.test.js']).map(glob => `dist/test/lab/${glob}`);
  const ignore = special === undefined ? ['dist/test/lab/{kernel-*,unplug,nics}/**'] : [];
  // An emulated processor is slow, and slower still when the host has other work.
  return { globs, ignore, grep, testTimeoutMs: 20_000 };
}

function nics(grep: string | undefined): Selection {
  return { globs: ['dist/test/lab/nics/**/*.test.js'], grep, testTimeoutMs: 120_000 };
}

/** They wait for links, for seconds each. */
function programs(grep: string | undefined): Selection {
  return { globs: ['dist/test/lab-programs/**/*.test.js'], grep, testTimeoutMs: 120_000 };
}

async function main(): Promise<number> {
  const given = parseArguments(process.argv.slice(2));
  if (given.help) {
    process.stdout.write(usage);
    return 0;
  }
  const start = performance.now();
  const results = await runStages(stages(given), process.stdout);
  // What was picked out by name is not what a stage stands for.
  if (given.grep === undefined) storeResults(results);
  const outcomes = results.flatMap(result => result.outcomes);
  if (outcomes.length === 0) process.stdout.write(`no test matches ${String(given.grep)}\n`);
  process.stdout.write(summary(results, (performance.now() - start) / 1000));
  return outcomes.length === 0 || count(outcomes, 'failed') > 0 ? 1 : 0;
}

// By exiting, so that what must not outlive this process (children, machines, directories) is ended.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => process.exit(128 + constants.signals[signal]));
}

main().then(
  code => {
    process.exitCode = code;
  },
  (error: unknown) => {
    if (!(error instanceof RangeError)) throw error;
    process.stderr.write(`test: ${error.message}\n\n${usage}`);
    process.exitCode = 2;
  },
);
