import { DeadQemuError } from '../../lab/error.js';

/**
 * Does work that boots a machine, and all of it once more, on a machine that is new, when QEMU died: the emulator's own
 * faults say nothing about what is tested.
 *
 * @param say gets why
 */
export async function despiteDeadQemu<T>(work: () => Promise<T>, say: (text: string) => void): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof DeadQemuError)) throw error;
    say(`${error.message}\n\nQEMU died. Once more, from the beginning:\n`);
    return work();
  }
}
