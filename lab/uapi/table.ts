import type { Proof, Proofs } from './evidence.js';
import type { HeaderEntry } from './header.js';
import type { Row, Section } from './row.js';

/** A header of the kernel's interface, read. */
export interface Header {
  /** `linux/vfio.h` */
  name: string;
  entries: readonly HeaderEntry[];
}

/** All that the table is made of. */
export interface Sources {
  headers: readonly Header[];
  sections: readonly Section[];
  /** Names without a row, and why. */
  excluded: Readonly<Record<string, string>>;
  proofs: Proofs;
}

/** A row with what is known about it. */
export interface Line {
  name: string;
  section: string;
  /** `undefined` for a row whose name no header has. */
  entry: HeaderEntry | undefined;
  header: string | undefined;
  api: string | undefined;
  /** Why no machine of the lab can do it. */
  absent: string | undefined;
  /** The name whose refusal stands for this one's. */
  like: string | undefined;
  proven: readonly Proof[];
  /** Refusals, its own and those of the name it is like. */
  refused: readonly Proof[];
}

/** Puts rows, header entries and proofs together, in the order of the rows. */
export function linesOf({ headers, sections, proofs }: Sources): Line[] {
  const rows = new Map<string, Row>(sections.flatMap(section => Object.entries(section.rows)));
  const found = new Map(
    headers.flatMap(header => header.entries.map(entry => [entry.name, { header, entry }] as const)),
  );
  return sections.flatMap(section =>
    Object.entries(section.rows).map(([name, row]) => {
      const like = typeof row === 'object' && 'like' in row ? row.like : undefined;
      const refusals = [name, ...(like === undefined ? [] : [like])];
      return {
        name,
        section: section.title,
        entry: found.get(name)?.entry,
        header: found.get(name)?.header.name,
        api: typeof row === 'string' ? row : row.api,
        absent: reason(like === undefined ? row : rows.get(like)),
        like,
        proven: proofs.proven.get(name) ?? [],
        refused: refusals.flatMap(one => proofs.refused.get(one) ?? []),
      };
    }),
  );
}

function reason(row: Row | undefined): string | undefined {
  return typeof row === 'object' && 'absent' in row ? row.absent : undefined;
}
