/** `npm test`: lint, the tests of this machine, and those inside the lab's virtual machine. See `usage`. */
import { performance } from 'node:perf_hooks';
import type { Writable } from 'node:stream';
import { installMissing } from '../lab/apt.js';
import { progressOn } from '../lab/progress.js';
import { storeResults } from '../lab/uapi/results.js';
import { nics, profileTests, thorough } from './lab/profiles.js';
import { type Part, parseArguments, type RunArguments, usage } from './support/runner/arguments.js';
import { labStage } from './support/runner/lab.js';
import { lintStage } from './support/runner/lint.js';
import { hostStage, labHostStage, type Selection } from './support/runner/mocha.js';
import { count, runStages, type Stage } from './support/runner/stage.js';
import { summary } from './support/runner/summary.js';
import { runProgram } from './support/runner/program.js';
import type { Outcome } from './support/records.js';

const minute = 60_000;

/** In the order in which they are started: the longest first. */
function stages({ only, grep, profiles }: RunArguments): Stage[] {
  const below = (directory: string): Selection => ({ globs: [`dist/test/${directory}/**/*.test.js`], grep });
  const inLab = (profile: string, selection: Selection): Stage =>
    labStage({ profile }, selection, 10 * minute);
  // What is picked out is not worth a second machine.
  const whole = profiles.length > 0 || grep !== undefined;
  const chosen = profiles.length > 0 ? profiles : ['stock', ...Object.keys(profileTests)];
  const [first, ...others] = chosen.map(profile => ({ profile, selection: labTests(profile, grep) }));
  const labs =
    first === undefined ? [] : whole ? [inLab(first.profile, first.selection)] : halves(first, inLab);
  const all: { part: Part; stage: Stage }[] = [
    ...labs.map(stage => ({ part: 'lab' as const, stage })),
    { part: 'unit', stage: hostStage('unit', below('unit'), 5 * minute) },
    { part: 'lint', stage: lintStage },
    ...others.map(({ profile, selection }) => ({ part: 'lab' as const, stage: inLab(profile, selection) })),
  ];
  if (only.length === 0) return all.map(({ stage }) => stage);
  all.push(
    { part: 'nics', stage: nicsStage(grep) },
    { part: 'programs', stage: programsStage(grep) },
    { part: 'lab-host', stage: labHostStage(grep) },
  );
  return all.filter(({ part }) => only.includes(part)).map(({ stage }) => stage);
}

/**
 * The tests of a machine in two of its kind: those of the examples wait most of their time, for pings and for links, those
 * of opening and closing for processes to start.
 */
function halves(
  { profile, selection }: { profile: string; selection: Selection },
  inLab: (profile: string, selection: Selection) => Stage,
): Stage[] {
  const waiting = ['examples', 'device'].map(directory => `dist/test/lab/${directory}/**/*.test.js`);
  const rest = { ...selection, ignore: [...(selection.ignore ?? []), ...waiting] };
  const stage = inLab(profile, { ...selection, globs: waiting });
  return [inLab(profile, rest), { ...stage, name: `${stage.name}, processes` }];
}

/** All but those that only a particular other machine can run, and those that take long: the matrix runs all. */
function labTests(profile: string, grep: string | undefined): Selection {
  const special = profileTests[profile];
  const globs = (special ?? ['**/*.test.js']).map(glob => `dist/test/lab/${glob}`);
  const ignore =
    special === undefined
      ? ['kernel-*/**', nics.glob, ...thorough.globs].map(glob => `dist/test/lab/${glob}`)
      : [];
  return { globs, ignore, grep };
}

/** The drivers of the examples for other NICs, on the machine that has them. */
function nicsStage(grep: string | undefined): Stage {
  const globs = [`dist/test/lab/${nics.glob}`];
  return labStage({ profile: nics.profile }, { globs, grep, testTimeoutMs: 120_000 }, 15 * minute);
}

/** The programs of the examples wait for links, for seconds each. */
function programsStage(grep: string | undefined): Stage {
  const globs = ['dist/test/lab-programs/**/*.test.js'];
  const stage = labStage({ profile: 'stock' }, { globs, grep, testTimeoutMs: 120_000 }, 15 * minute);
  const run = async (output: Writable): Promise<Outcome[]> => {
    await installMissing({ tcpdump: 'tcpdump' }, progressOn(output));
    return stage.run(output);
  };
  return { name: `${stage.name}, programs`, run };
}

async function main(): Promise<number> {
  const given = parseArguments(process.argv.slice(2));
  if (given.help) {
    process.stdout.write(usage);
    return 0;
  }
  const start = performance.now();
  const results = await runStages(stages(given), process.stdout, 3);
  // What was picked out by name is not what a stage stands for.
  if (given.grep === undefined) storeResults(results);
  const outcomes = results.flatMap(result => result.outcomes);
  if (outcomes.length === 0) process.stdout.write(`no test matches ${String(given.grep)}\n`);
  process.stdout.write(summary(results, (performance.now() - start) / 1000));
  return outcomes.length === 0 || count(outcomes, 'failed') > 0 ? 1 : 0;
}

runProgram('test', usage, main);
