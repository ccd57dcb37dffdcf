import { parseArgs } from 'node:util';

/** What a command line of the benchmarks asks for. */
export interface BenchArguments {
  action: 'run' | 'list' | 'help';
  /** Where to write the figures, as given. */
  json: string | undefined;
  /** Names of benchmarks, or beginnings of them; empty means all. */
  only: string[];
  rounds: number;
}

export const defaultRounds = 7;

export const usage = `usage: npm run bench -- [OPTIONS]

Measures this library next to C programs that do the same, in turns, and prints a table of ratios. It never fails because
a figure is bad.

  --list          show the benchmarks there are
  --only NAMES    only these, comma-separated; "dma" means all whose names begin with it
  --rounds N      how often every program runs (default: ${defaultRounds})
  --json FILE     also write every figure of every round to FILE
  --help          show this text
`;

/** @throws RangeError for anything that is not in `usage` */
export function parseArguments(words: readonly string[]): BenchArguments {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...words],
      options: {
        list: { type: 'boolean' },
        help: { type: 'boolean' },
        only: { type: 'string', multiple: true },
        rounds: { type: 'string' },
        json: { type: 'string' },
      },
    }));
  } catch (error) {
    throw new RangeError((error as Error).message, { cause: error });
  }
  return {
    action: values.help ? 'help' : values.list ? 'list' : 'run',
    json: values.json,
    only: (values.only ?? []).flatMap(names => names.split(',')).filter(name => name !== ''),
    rounds: roundsFrom(values.rounds ?? String(defaultRounds)),
  };
}

/** Those that were asked for, in their own order. @throws RangeError for a name that none has */
export function choose<T extends { name: string }>(all: readonly T[], only: readonly string[]): T[] {
  if (only.length === 0) return [...all];
  for (const name of only) {
    if (!all.some(one => one.name.startsWith(name)))
      throw new RangeError(
        `no benchmark's name begins with '${name}'; there are: ${all.map(one => one.name).join(', ')}`,
      );
  }
  return all.filter(one => only.some(name => one.name.startsWith(name)));
}

function roundsFrom(text: string): number {
  const rounds = Number(text);
  if (/^\d+$/.test(text) && rounds >= 1 && rounds <= 1000) return rounds;
  throw new RangeError(`--rounds must be a number from 1 to 1000; got '${text}'`);
}
