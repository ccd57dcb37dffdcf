import { DeadQemuError } from '../../lab/error.js';

/** How often at most. */
const tries = 3;

/**
 * Does work that boots a machine, and all of it again, on a machine that is new, when QEMU died: the emulator's own faults
 * say nothing about what is tested. It dies of an assertion when MSI-X goes off while its e1000e puts an interrupt off,
 * which a driver cannot always avoid.
 *
 * @param say gets why
 */
export async function despiteDeadQemu<T>(work: () => Promise<T>, say: (text: string) => void): Promise<T> {
  for (let left = tries - 1; ; left--) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof DeadQemuError) || left === 0) throw error;
      say(`${error.message}\n\nQEMU died. Once more, from the beginning:\n`);
    }
  }
}
