import path from 'node:path';
import { runDemo } from '../examples/ping/demo/run.js';
import { devices } from './devices.js';
import { LabError } from './error.js';
import { packageRoot } from './paths.js';
import { progressOn } from './progress.js';
import { bootLab } from './run.js';

/**
 * The demo: with arguments on this machine's own hardware, without any in the lab's virtual machine.
 *
 *     npm run demo
 *     npm run demo -- 0000:03:00.0 [--peer [INTERFACE]] [--ip A.B.C.D]
 */
async function main(argv: readonly string[]): Promise<number> {
  return argv.length > 0 ? runDemo(argv) : inTheLab();
}

async function inTheLab(): Promise<number> {
  const start = performance.now();
  await using lab = await bootLab({ progress: progressOn(process.stderr, 0) });
  const program = path.join(packageRoot, 'dist/examples/ping/demo.js');
  const { exitCode } = await lab.run({ argv: [process.execPath, program, devices.nicA, '--peer'] });
  const seconds = (performance.now() - start) / 1000;
  console.log(
    `${seconds.toFixed(1)} s in all, ${(lab.vm.bootMs / 1000).toFixed(1)} s of it to boot the virtual machine.`,
  );
  return exitCode;
}

main(process.argv.slice(2)).then(
  code => (process.exitCode = code),
  (error: unknown) => {
    const expected = error instanceof LabError;
    console.error(`demo: ${expected ? error.message : String((error as Error).stack)}`);
    process.exitCode = LabError.exitCode;
  },
);
