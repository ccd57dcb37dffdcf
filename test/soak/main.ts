/** `npm run soak`: the example drivers under load for as long as asked, in the lab. See `usage`. */
import path from 'node:path';
import { packageRoot } from '../../lab/paths.js';
import { progressOn } from '../../lab/progress.js';
import { bootLab } from '../../lab/run.js';
import { despiteDeadQemu } from '../support/despite-dead-qemu.js';
import { storeVerdict } from '../support/runner/verdict.js';
import { parseOptions, runProgram } from '../support/runner/program.js';

const usage = `usage: npm run soak -- [OPTIONS]

In the lab's virtual machine: a NIC driven by examples/e1000e answers the kernel's ping flood, an edu device interrupts
and does DMA, and both are closed and opened again every few seconds. No packet may be lost that the other end does not
know of, no interrupt or byte of DMA may be missing, and nothing that the process holds may grow.

  --minutes N     for how long (default: 2)
  --profile NAME  that machine of the lab (default: stock)
  --help          show this text
`;

async function main(): Promise<number> {
  const { help, minutes = '2', profile = 'stock' } = options(process.argv.slice(2));
  if (help === true) {
    process.stdout.write(usage);
    return 0;
  }
  if (!(Number(minutes) > 0)) throw new RangeError(`--minutes needs a number, not ${minutes}`);
  const program = path.join(packageRoot, 'dist/test/soak/child.js');
  const argv = [process.execPath, '--expose-gc', '--enable-source-maps', program, minutes];
  const start = performance.now();
  const exitCode = await despiteDeadQemu(
    async () => {
      await using lab = await bootLab({ profile, progress: progressOn(process.stderr) }, packageRoot);
      return (await lab.run({ argv, cwd: packageRoot })).exitCode;
    },
    text => process.stderr.write(text),
  );
  storeVerdict('soak', `${minutes} minutes`, exitCode === 0, performance.now() - start);
  return exitCode;
}

function options(words: readonly string[]) {
  return parseOptions(words, {
    help: { type: 'boolean' },
    minutes: { type: 'string' },
    profile: { type: 'string' },
  });
}

runProgram('soak', usage, main);
