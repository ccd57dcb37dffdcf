import { native } from '../../lib/native.js';
import { statusBytes } from '../lab/support/held.js';
import { openFiles } from '../support/open-files.js';

/** What must be the same before and after, to the last one. */
export type Holdings = Readonly<Record<string, number>>;

export function holdings(): Holdings {
  return {
    ...openFiles(),
    'pinned bytes': statusBytes('VmLck') + statusBytes('VmPin'),
    ...native().liveObjects(),
  };
}
