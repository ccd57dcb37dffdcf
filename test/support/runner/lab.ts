import { rmSync } from 'node:fs';
import path from 'node:path';
import type { Writable } from 'node:stream';
import { packageRoot } from '../../../lab/paths.js';
import { findProfile } from '../../../lab/profiles.js';
import { progressOn } from '../../../lab/progress.js';
import { bootLab, guestOutDirectory } from '../../../lab/run.js';
import { despiteDeadQemu } from '../despite-dead-qemu.js';
import { type Outcome } from '../records.js';
import { type Instrument, mochaArguments, recordsFile, runTests, type Selection } from './mocha.js';
import { originalPositions } from './positions.js';
import type { Stage } from './stage.js';

/** A machine of the lab, with one of its kernels other than the one it has by itself. */
export interface Machine {
  profile: string;
  kernel?: string;
}

/** Tests in a mocha process inside the lab's virtual machine. */
export function labStage(
  machine: Machine,
  selection: Selection,
  timeoutMs: number,
  instrument?: Instrument,
): Stage {
  const env = { ...process.env, ...instrument?.env(guestOutDirectory) };
  return {
    name: `lab ${machineName(machine)}`,
    run: async output => {
      const run = (tests: Selection, outDir: string): Promise<string | undefined> =>
        despiteDeadQemu(
          () => {
            rmSync(path.join(outDir, recordsFile), { force: true });
            return runInGuest(machine, tests, timeoutMs, outDir, output, env);
          },
          text => output.write(text),
        );
      return (await runTests(selection, output, run, instrument)).map(inSources);
    },
  };
}

function inSources(outcome: Outcome): Outcome {
  const { detail, failedFirst } = outcome;
  return {
    ...outcome,
    ...(detail === undefined ? {} : { detail: originalPositions(detail) }),
    ...(failedFirst === undefined ? {} : { failedFirst: originalPositions(failedFirst) }),
  };
}

/** Boots the machine and runs the tests in it; returns how mocha ended when not well. */
async function runInGuest(
  machine: Machine,
  selection: Selection,
  timeoutMs: number,
  outDir: string,
  output: Writable,
  env: NodeJS.ProcessEnv,
): Promise<string | undefined> {
  await using lab = await bootLab({ ...machine, outDir, progress: progressOn(output) }, packageRoot);
  const { exitCode, signal } = await lab.run({
    argv: [process.execPath, ...mochaArguments(selection, guestOutDirectory, [])],
    cwd: packageRoot,
    env,
    stdout: output,
    stderr: output,
    timeoutMs,
  });
  if (exitCode === 0) return undefined;
  if (signal === undefined) return `exit code ${exitCode}`;
  return `killed by signal ${signal}; the kernel said last:\n${await lab.kernelSaid()}`;
}

/** `stock`, or where there are several kernels `amd-iommu on built-6.12`. */
export function machineName({ profile, kernel }: Machine): string {
  const { kernels, kernel: own } = findProfile(profile);
  return kernels.length === 1 ? profile : `${profile} on ${kernel ?? own}`;
}
