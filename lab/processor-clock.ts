import path from 'node:path';
import { mustRun } from './command.js';
import { compiled } from './compiled.js';
import { hostSources } from './paths.js';
import type { Progress } from './progress.js';
import type { Accelerator } from './qemu.js';

/**
 * How fast the guest's time stamp counter goes, in kHz, where the guest's kernel has to be told; else undefined.
 *
 * An emulated processor's counter is the host's. The kernel measures it at boot against an emulated timer; when the host is
 * busy meanwhile, the result has been seen to be too low by a factor of 50. Every clock of the guest then runs that much too fast:
 * limits of time are over in no time, and timers seem to have stopped. Under KVM the host tells the guest, and a
 * processor that counts its instructions is not disturbed by anything.
 */
export async function processorClockKhz(
  accelerator: Accelerator,
  progress: Progress,
): Promise<number | undefined> {
  if (accelerator !== 'tcg' || process.arch !== 'x64') return undefined;
  const source = path.join(hostSources, 'tsc.c');
  const program = await compiled(
    'tsc',
    [source],
    [],
    "compiling what measures the processor's clock",
    progress,
  );
  return Number(await mustRun([program]));
}
