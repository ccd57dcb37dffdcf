/** The lab itself failed (no kernel, a dead QEMU, a boot that never ends), as opposed to the command run in it. */
export class LabError extends Error {
  override name = 'LabError';

  /** What the command line exits with for it: a number that hardly any command uses for itself. */
  static readonly exitCode = 125;
}

/** QEMU ended under a running command, or lost a timer of the guest's: faults of the emulator's, mostly, and worth another try. */
export class DeadQemuError extends LabError {}
