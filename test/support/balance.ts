/** What a process holds, for comparing after many rounds: what must be exactly the same, and what may move a little. */
import { native } from '../../lib/native.js';
import { mappings, statusBytes } from '../lab/support/held.js';
import { openFiles } from './open-files.js';

export interface Balance {
  /** Files by what they are, handles of the native layer, pinned memory, mappings of files and devices. */
  readonly exact: Readonly<Record<string, number>>;
  /** Areas of address space: the engine's and the allocator's come and go by a few dozen. */
  readonly areas: number;
  /** Resident memory in MiB; likewise. */
  readonly residentMiB: number;
}

export function balance(): Balance {
  const areas = mappings();
  const named: Record<string, number> = {};
  for (const [name, count] of Object.entries(openFiles())) named[`file ${name}`] = count;
  for (const line of areas) {
    const name = /\S+\s+\S+\s+\S+\s+\S+\s+\d+\s+(\/dev\/\S+|\/memfd:\S+|\/tmp\/\S+|anon_inode:\S+)/.exec(
      line,
    )?.[1];
    if (name !== undefined) named[`mapped ${name}`] = (named[`mapped ${name}`] ?? 0) + 1;
  }
  const pinned = statusBytes('VmLck') + statusBytes('VmPin');
  return {
    exact: { ...named, pinned, ...native().liveObjects() },
    areas: areas.length,
    residentMiB: Math.round(statusBytes('VmRSS') / 2 ** 20),
  };
}

/** What grew in words; nothing when nothing did. @param slack what may grow: areas and MiB */
export function growth(before: Balance, after: Balance, slack: { areas: number; MiB: number }): string[] {
  const names = new Set([...Object.keys(before.exact), ...Object.keys(after.exact)]);
  const grown = [...names].flatMap(name => {
    const [was = 0, is = 0] = [before.exact[name], after.exact[name]];
    return was === is ? [] : [`${name}: ${was} before, ${is} after`];
  });
  if (after.areas > before.areas + slack.areas)
    grown.push(`areas of memory: ${before.areas} before, ${after.areas} after`);
  if (after.residentMiB > before.residentMiB + slack.MiB)
    grown.push(`resident memory: ${before.residentMiB} MiB before, ${after.residentMiB} MiB after`);
  return grown;
}
