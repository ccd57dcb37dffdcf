import { writeFileSync } from 'node:fs';
import * as os from 'node:os';
import path from 'node:path';
import { LabError } from '../lab/error.js';
import { defaultProfile } from '../lab/profiles.js';
import { progressOn } from '../lab/progress.js';
import { choose, parseArguments, usage } from './arguments.js';
import { type Benchmark, ourProgram, type Tools } from './benchmark.js';
import { benchmarks } from './benchmarks.js';
import { compileReferences } from './compile.js';
import { accelerator, describeMachine, type Machine } from './machine.js';
import { measure, type Result } from './measure.js';
import { isThere } from './needed.js';
import { host, LabPlace } from './place.js';
import { formatTable } from './table.js';

/** Everything that a run found out, as `--json` writes it. */
interface Outcome {
  date: string;
  rounds: number;
  machine: Machine;
  /** The lab's virtual machine, and what runs its processors. */
  guest?: Machine & { profile: string; accelerator: string };
  loadAverage: { before: number; after: number };
  results: Result[];
  failures: { benchmark: string; reason: string }[];
  /** What this machine lacks something for. */
  skipped: { benchmark: string; reason: string }[];
}

const progress = progressOn(process.stderr);

/** The benchmarks' command line: see `usage`. */
async function main(): Promise<number> {
  const { action, json, only, rounds } = parseArguments(process.argv.slice(2));
  const chosen = choose(benchmarks, only);
  if (action === 'help') process.stdout.write(usage);
  if (action === 'list') {
    for (const { name, place, about } of chosen)
      console.log(`${name.padEnd(18)} ${place.padEnd(4)}  ${about}`);
  }
  if (action !== 'run') return 0;

  const outcome = await run(chosen, rounds);
  process.stdout.write(`\n${describe(outcome)}\n${formatTable(outcome.results)}`);
  for (const { benchmark, reason } of outcome.skipped) console.log(`\n${benchmark} skipped: ${reason}`);
  for (const { benchmark, reason } of outcome.failures)
    console.error(`\n${benchmark} could not be measured: ${reason}`);
  // npm changes to the package's directory and leaves the caller's in INIT_CWD.
  const cwd = process.env['INIT_CWD'] ?? process.cwd();
  if (json !== undefined)
    writeFileSync(path.resolve(cwd, json), `${JSON.stringify(outcome, undefined, 2)}\n`);
  return outcome.failures.length === 0 ? 0 : 1;
}

async function run(wanted: readonly Benchmark[], rounds: number): Promise<Outcome> {
  const tools: Tools = { references: await compileReferences(progress) };
  const before = load();
  const outcome: Outcome = {
    date: new Date().toISOString(),
    rounds,
    machine: describeMachine(),
    loadAverage: { before, after: before },
    results: [],
    failures: [],
    skipped: wanted.flatMap(({ name, needs }) =>
      needs === undefined || isThere(needs.program)
        ? []
        : [{ benchmark: name, reason: `there is no ${needs.program}; Debian has it in ${needs.package}` }],
    ),
  };
  const chosen = wanted.filter(({ name }) => !outcome.skipped.some(({ benchmark }) => benchmark === name));
  for (const benchmark of chosen.filter(({ place }) => place === 'host')) {
    await attempt(benchmark, outcome, () =>
      measure(benchmark, host, tools, rounds, watch(benchmark, rounds)),
    );
  }
  for (const name of ['lab', 'counted'] as const) {
    await inTheLab(
      chosen.filter(({ place }) => place === name),
      rounds,
      tools,
      outcome,
    );
  }
  outcome.loadAverage.after = load();
  return outcome;
}

/** All in one boot; after the machine died, the rest in another. */
async function inTheLab(
  chosen: readonly Benchmark[],
  rounds: number,
  tools: Tools,
  outcome: Outcome,
): Promise<void> {
  const rest = [...chosen];
  const counted = rest[0]?.place === 'counted';
  while (rest.length > 0) {
    await using lab = await LabPlace.boot(defaultProfile, [tools.references], progress, counted);
    const guest = JSON.parse(await lab.run(ourProgram('describe').command(tools))) as Machine;
    outcome.guest = { ...guest, profile: defaultProfile, accelerator: accelerator(guest) };
    for (let alive = true; alive && rest.length > 0;) {
      const benchmark = rest.shift() as Benchmark;
      alive = await attempt(benchmark, outcome, () =>
        measure(benchmark, lab, tools, rounds, watch(benchmark, rounds)),
      );
    }
  }
}

/** Adds a benchmark's results, or why there are none. Returns false when the machine died of it. */
async function attempt(
  benchmark: Benchmark,
  outcome: Outcome,
  work: () => Promise<Result[]>,
): Promise<boolean> {
  try {
    outcome.results.push(...(await work()));
    return true;
  } catch (error) {
    outcome.failures.push({ benchmark: benchmark.name, reason: (error as Error).message });
    return !(error instanceof LabError);
  } finally {
    process.stderr.write('\n');
  }
}

function watch({ name }: Benchmark, rounds: number): (round: number) => void {
  return round => process.stderr.write(`${round === 0 ? `bench: ${name} (${rounds} rounds) ` : ''}.`);
}

function describe({ machine, guest, rounds, loadAverage }: Outcome): string {
  const lines = [
    `${machine.cpu}, ${machine.cpus} processors, Linux ${machine.kernel}, Node ${machine.node}; load average ${loadAverage.before} before, ${loadAverage.after} after`,
  ];
  if (guest !== undefined) {
    lines.push(
      `lab: profile ${guest.profile}, ${guest.accelerator}, ${guest.cpus} processors, ${guest.memoryMiB} MiB, Linux ${guest.kernel}, Node ${guest.node}`,
    );
  }
  lines.push(
    `medians of ${rounds} rounds (in brackets: the least and the greatest round), programs in turns, a process each round`,
    "ratio: median of the rounds' ratios; samples: per round",
  );
  if (rounds < 7) lines.push('fewer than 7 rounds: for a first look, not to be quoted');
  return lines.map(line => `${line}\n`).join('');
}

function load(): number {
  return Number((os.loadavg()[0] ?? 0).toFixed(2));
}

main().then(
  code => {
    process.exitCode = code;
  },
  (error: unknown) => {
    const wrongUsage = error instanceof RangeError;
    const expected = wrongUsage || error instanceof LabError;
    process.stderr.write(`bench: ${expected ? error.message : String((error as Error).stack)}\n`);
    process.exitCode = wrongUsage ? 2 : 1;
  },
);
