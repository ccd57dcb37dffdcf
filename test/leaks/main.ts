/** `npm run leaks`: whether rounds of open, use and close leave anything. See `usage`. */
import path from 'node:path';
import { packageRoot } from '../../lab/paths.js';
import { progressOn } from '../../lab/progress.js';
import { bootLab } from '../../lab/run.js';
import { despiteDeadQemu } from '../support/despite-dead-qemu.js';
import { runNode } from '../support/runner/child.js';
import { storeVerdict } from '../support/runner/verdict.js';
import { parseOptions, runProgram } from '../support/runner/program.js';

const usage = `usage: npm run leaks -- [OPTIONS]

Opens, uses and closes everything over and over, and compares what the process holds before and after: open files,
handles, mappings, pinned memory, areas of address space, resident memory. None may grow.

  --rounds N      how often (default: 10000, in the lab 200)
  --lab           in the lab's virtual machine, with a device; without it a file stands for one
  --profile NAME  that machine of the lab (default: stock)
  --help          show this text
`;

const hour = 3_600_000;

async function main(): Promise<number> {
  const { help, lab, profile, rounds } = options(process.argv.slice(2));
  if (help === true) {
    process.stdout.write(usage);
    return 0;
  }
  const inLab = lab === true || profile !== undefined;
  const count = rounds ?? (inLab ? '200' : '10000');
  if (!/^[1-9]\d{0,8}$/.test(count)) throw new RangeError(`--rounds needs a number, not ${count}`);
  const argv = [
    '--expose-gc',
    '--enable-source-maps',
    path.join(packageRoot, 'dist/test/leaks/child.js'),
    count,
  ];
  const start = performance.now();
  const verdict = (passed: boolean, place = ''): number => {
    storeVerdict('leaks', `${count} rounds`, passed, performance.now() - start, place);
    return passed ? 0 : 1;
  };
  if (!inLab)
    return verdict((await runNode(argv, { output: process.stdout, timeoutMs: hour })) === undefined);
  const name = profile ?? 'stock';
  const exitCode = await despiteDeadQemu(
    async () => {
      await using machine = await bootLab(
        { profile: name, progress: progressOn(process.stderr) },
        packageRoot,
      );
      return (await machine.run({ argv: [process.execPath, ...argv], cwd: packageRoot })).exitCode;
    },
    text => process.stderr.write(text),
  );
  return verdict(exitCode === 0, ` in the lab's ${name}`);
}

function options(words: readonly string[]) {
  return parseOptions(words, {
    help: { type: 'boolean' },
    lab: { type: 'boolean' },
    profile: { type: 'string' },
    rounds: { type: 'string' },
  });
}

runProgram('leaks', usage, main);
