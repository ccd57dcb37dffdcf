/** What may come out of a call, and what may not. */
import { VfioError } from '../../lib/errors/vfio-error.js';
import { trapped } from '../support/wrong-values.js';

/** Something that the package must never do; its message says what. */
export class Violation extends Error {
  override name = 'Violation';
}

/** Whether an error is one that the package may refuse a call with. */
export function isTyped(error: unknown): boolean {
  // The caller's own value threw it.
  if (error === trapped) return true;
  if (!(error instanceof Error)) return false;
  const { code } = error as NodeJS.ErrnoException;
  if (error instanceof VfioError || error instanceof TypeError || error instanceof RangeError)
    return typeof code === 'string' && code !== '';
  return error.name === 'AbortError';
}
