import { profiles } from '../../../lab/profiles.js';
import { parseOptions } from './program.js';

/** What can be asked for with --only, and what it means. */
export const parts = {
  lint: 'formatting and lint of TypeScript and C++',
  unit: 'the tests that any machine can run',
  'lab-host': 'the tests of the lab itself, which the matrix runs: only when asked for',
  lab: 'the tests inside the virtual machine, on real VFIO',
  nics: 'the other drivers for NICs in examples, in a virtual machine that has such NICs: only when asked for',
  programs: 'the programs for NICs in examples, in the virtual machine: only when asked for',
} as const;
export type Part = keyof typeof parts;

export interface RunArguments {
  help: boolean;
  /** Empty: all. */
  only: readonly Part[];
  grep: string | undefined;
  /** The lab's profiles to use; empty: those the tests are meant for. */
  profiles: readonly string[];
}

export const usage = `usage: npm test -- [OPTIONS]

  --only PART     run one part; may be given several times:
${Object.entries(parts)
  .map(([name, purpose]) => `                    ${name.padEnd(10)}${purpose}\n`)
  .join('')}\
  --grep PATTERN  run only the tests whose full title matches the regular expression
  --profile NAME  use that machine of the lab only (npm run lab -- --list names them)
  --help          show this text
`;

/** @throws RangeError for a command line that makes no sense; its message is for the user */
export function parseArguments(words: readonly string[]): RunArguments {
  const { help = false, only = [], grep, profile = [] } = options(words);
  for (const name of only) {
    if (!Object.hasOwn(parts, name)) {
      throw new RangeError(`there is no part '${name}'; there are: ${Object.keys(parts).join(', ')}`);
    }
  }
  for (const name of profile) {
    if (!profiles.some(one => one.name === name)) {
      const known = profiles.map(one => one.name).join(', ');
      throw new RangeError(`there is no profile '${name}'; there are: ${known}`);
    }
  }
  return { help, only: only as Part[], grep, profiles: profile };
}

interface Options {
  help?: boolean;
  only?: string[];
  grep?: string;
  profile?: string[];
}

function options(words: readonly string[]): Options {
  return parseOptions(words, {
    help: { type: 'boolean' },
    only: { type: 'string', multiple: true },
    grep: { type: 'string' },
    profile: { type: 'string', multiple: true },
  });
}
