/** `npm run test:matrix`: the tests of the lab on every one of its machines, with every kernel. See `usage`. */
import { performance } from 'node:perf_hooks';
import { LabError } from '../lab/error.js';
import { ensureKernel } from '../lab/kernels.js';
import { findProfile, type KernelKind, profiles } from '../lab/profiles.js';
import { progressOn } from '../lab/progress.js';
import { storeResults } from '../lab/uapi/results.js';
import { nics, thorough } from './lab/profiles.js';
import { labStage, type Machine, machineName } from './support/runner/lab.js';
import { labHostStage, type Selection } from './support/runner/mocha.js';
import { overview } from './support/runner/overview.js';
import { count, runStages } from './support/runner/stage.js';
import { parseOptions, runProgram } from './support/runner/program.js';

const usage = `usage: npm run test:matrix -- [OPTIONS]

Runs every test of the lab on every machine it has with every kernel of that, one boot each, and then those of the lab
itself. A test says itself what it needs; where that is missing it is skipped. The results are kept for npm run uapi.

  --profile NAME  only this machine; may be given several times
  --kernel NAME   only this kernel; may be given several times
  --grep PATTERN  only the tests whose full title matches the regular expression; the results are not kept
  --list          show the machines and kernels, and run nothing
  --help          show this text
`;

/** Emulation on a busy machine is slow, and the whole suite is long. */
const timeoutMs = 15 * 60_000;

interface Arguments {
  machines: (Machine & { kernel: KernelKind })[];
  grep: string | undefined;
  action: 'run' | 'list' | 'help';
}

function everyMachine(): (Machine & { kernel: KernelKind })[] {
  return profiles.flatMap(one => one.kernels.map(kernel => ({ profile: one.name, kernel })));
}

/** @throws RangeError for a command line that makes no sense; its message is for the user */
function parseArguments(words: readonly string[]): Arguments {
  const { profile = [], kernel = [], grep, list, help } = options(words);
  const names = new Set(profile.map(name => findProfile(name).name));
  const machines = everyMachine()
    .filter(machine => names.size === 0 || names.has(machine.profile))
    .filter(machine => kernel.length === 0 || kernel.includes(machine.kernel));
  if (machines.length === 0) throw new RangeError(`no machine there runs on ${kernel.join(' or ')}`);
  return { machines, grep, action: help ? 'help' : list ? 'list' : 'run' };
}

interface Options {
  profile?: string[];
  kernel?: string[];
  grep?: string;
  list?: boolean;
  help?: boolean;
}

function options(words: readonly string[]): Options {
  return parseOptions(words, {
    profile: { type: 'string', multiple: true },
    kernel: { type: 'string', multiple: true },
    grep: { type: 'string' },
    list: { type: 'boolean' },
    help: { type: 'boolean' },
  });
}

/** All tests; but those in a directory that names a kernel are of no use to an older one. */
function tests(machine: Machine & { kernel: KernelKind }, grep: string | undefined): Selection {
  const kernels = machine.kernel === 'debian-6.1' ? ['kernel-*/**'] : [];
  const profiles: readonly string[] = thorough.profiles;
  const long = profiles.includes(machine.profile) ? [] : thorough.globs;
  // What is about this library is not about which NIC there is.
  if (machine.profile === nics.profile) return { globs: [`dist/test/lab/${nics.glob}`], grep };
  const ignore = [...kernels, ...long, nics.glob].map(glob => `dist/test/lab/${glob}`);
  return { globs: ['dist/test/lab/**/*.test.js'], ignore, grep };
}

/**
 * Gets the kernels before the first stage, since the output of stages is shown when they are over and building a kernel
 * takes minutes. Returns those that there are none of, and why: no stage shall try again.
 */
async function buildKernels(kinds: ReadonlySet<KernelKind>): Promise<Map<KernelKind, LabError>> {
  const missing = new Map<KernelKind, LabError>();
  for (const kind of kinds) {
    try {
      await ensureKernel(kind, progressOn(process.stdout));
    } catch (error) {
      if (!(error instanceof LabError)) throw error;
      missing.set(kind, error);
    }
  }
  return missing;
}

async function main(): Promise<number> {
  const { machines, grep, action } = parseArguments(process.argv.slice(2));
  if (action === 'help') {
    process.stdout.write(usage);
    return 0;
  }
  if (action === 'list') {
    process.stdout.write(machines.map(machine => `${machineName(machine)}\n`).join(''));
    return 0;
  }
  const start = performance.now();
  const missing = await buildKernels(new Set(machines.map(machine => machine.kernel)));
  const stages = machines.map(machine => {
    const stage = labStage(machine, tests(machine, grep), timeoutMs);
    const error = missing.get(machine.kernel);
    return error === undefined ? stage : { ...stage, run: () => Promise.reject(error) };
  });
  const all = stages.length === everyMachine().length && grep === undefined;
  const results = await runStages(all ? [...stages, labHostStage()] : stages, process.stdout);
  if (grep === undefined) storeResults(results);
  const outcomes = results.flatMap(result => result.outcomes);
  if (outcomes.length === 0) process.stdout.write(`no test matches ${String(grep)}\n`);
  process.stdout.write(overview(results, (performance.now() - start) / 1000));
  return outcomes.length === 0 || count(outcomes, 'failed') > 0 ? 1 : 0;
}

runProgram('test:matrix', usage, main);
