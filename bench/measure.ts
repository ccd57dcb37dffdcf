import type { Benchmark, Figure, Side, Tools, Unit } from './benchmark.js';
import type { Place } from './place.js';
import { ratios, type Summary, summarize } from './statistics.js';

/** What one program reported of a figure. */
export interface Measured extends Summary {
  program: string;
  /** Each round's own median (or p99), in order. */
  rounds: number[];
  samplesPerRound: number;
}

/** One line of the table. */
export interface Result {
  benchmark: string;
  figure: string;
  label: string;
  goal?: string;
  unit: Unit;
  ours: Measured;
  /** What it is compared with, if anything. */
  reference?: Measured;
  ratio?: Summary;
}

/** What a program said in one round. */
type Report = ReadonlyMap<string, { ns: number; samples: number }>;

/** Runs the programs of a benchmark in turns (A B A B …). */
export async function measure(
  benchmark: Benchmark,
  place: Place,
  tools: Tools,
  rounds: number,
  onRound: (round: number) => void = () => undefined,
): Promise<Result[]> {
  const sides = [benchmark.ours, ...benchmark.references];
  const reports = new Map<Side, Report[]>(sides.map(side => [side, []]));
  if (benchmark.setUp !== undefined) await place.run(['sh', '-c', benchmark.setUp]);
  for (let round = 0; round < rounds; round++) {
    onRound(round);
    for (const side of sides) reports.get(side)?.push(parseReport(await place.run(side.command(tools))));
  }
  const ours = reports.get(benchmark.ours) ?? [];
  if (benchmark.references.length === 0) return alone(benchmark, ours);
  return benchmark.references.flatMap(reference =>
    compare(benchmark, reference.name, ours, reports.get(reference) ?? []),
  );
}

/** Figures that are compared with nothing. */
function alone(benchmark: Benchmark, reports: readonly Report[]): Result[] {
  return benchmark.figures.flatMap(figure => {
    const ours = collect(benchmark.ours.name, figure.name, reports);
    return ours === undefined ? [] : [{ ...describe(benchmark, figure), ours }];
  });
}

function describe({ name }: Benchmark, figure: Figure): Omit<Result, 'ours'> {
  const { label, goal, unit = 'ns' } = figure;
  return { benchmark: name, figure: figure.name, label, ...(goal === undefined ? {} : { goal }), unit };
}

function compare(
  benchmark: Benchmark,
  programs: string,
  ours: readonly Report[],
  reference: readonly Report[],
): Result[] {
  return benchmark.figures.flatMap(figure => {
    const { name, against = name } = figure;
    const [a, b] = [collect(benchmark.ours.name, name, ours), collect(programs, against, reference)];
    if (a === undefined && b === undefined) return [];
    if (a === undefined || b === undefined)
      throw new Error(
        `${benchmark.name}: only one of ${benchmark.ours.name} and ${programs} reported ${name}`,
      );
    const ratio = ratios(a.rounds, b.rounds);
    return [{ ...describe(benchmark, figure), ours: a, reference: b, ratio }];
  });
}

function collect(program: string, figure: string, reports: readonly Report[]): Measured | undefined {
  const values = reports.flatMap(report => report.get(figure) ?? []);
  if (values.length === 0) return undefined;
  if (values.length < reports.length) throw new Error(`${program} did not report ${figure} in every round`);
  const rounds = values.map(value => value.ns);
  return {
    program,
    ...summarize(rounds),
    rounds,
    samplesPerRound: Math.min(...values.map(value => value.samples)),
  };
}

/** Lines of "FIGURE VALUE SAMPLES"; the value mostly is nanoseconds. */
export function parseReport(text: string): Report {
  const lines = text.split('\n').filter(line => line !== '');
  return new Map(
    lines.map(line => {
      const [, figure, ns, samples] = /^(\S+) ([\d.]+) (\d+)$/.exec(line) ?? [];
      if (figure === undefined) throw new Error(`a program reported '${line}', not a figure`);
      return [figure, { ns: Number(ns), samples: Number(samples) }];
    }),
  );
}
