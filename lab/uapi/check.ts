import type { Proof } from './evidence.js';
import type { Line, Sources } from './table.js';

/** A promise about the table and what breaks it, one text for each name. */
export interface Check {
  title: string;
  problems: readonly string[];
}

/** Everything that must hold before the table may be believed. */
export function checkTable(sources: Sources, lines: readonly Line[]): Check[] {
  return [
    { title: 'every name of the headers has a row', problems: withoutRow(sources, lines) },
    { title: 'every row is of a name in the headers', problems: withoutName(sources, lines) },
    { title: 'every row says what reaches its name', problems: withoutApi(lines) },
    { title: 'every claim is proven by a test that passed', problems: unproven(lines) },
    { title: 'what no machine can do was seen refused', problems: unrefused(lines) },
    { title: 'what no machine can do was done on none', problems: doneAfterAll(lines) },
    { title: 'every test proves names that have a row', problems: strayProofs(sources, lines) },
  ];
}

function withoutRow({ headers, excluded }: Sources, lines: readonly Line[]): string[] {
  const known = new Set([...lines.map(line => line.name), ...Object.keys(excluded)]);
  return headers.flatMap(({ name: header, entries }) =>
    entries
      .filter(entry => entry.kind !== 'guard' && !known.has(entry.name))
      .map(entry => `${entry.name} (${header}, line ${entry.line}) has no row in lab/uapi/rows`),
  );
}

function withoutName({ headers, excluded }: Sources, lines: readonly Line[]): string[] {
  const names = new Set(headers.flatMap(({ entries }) => entries.map(entry => entry.name)));
  const rows = lines.map(line => line.name);
  return [
    ...rows.filter(name => !names.has(name)).map(name => `${name} has a row, but is in no header`),
    ...Object.keys(excluded)
      .filter(name => !names.has(name))
      .map(name => `${name} is excluded, but is in no header`),
    ...rows.filter((name, i) => rows.indexOf(name) < i).map(name => `${name} has two rows`),
    ...rows.filter(name => name in excluded).map(name => `${name} has a row and is excluded`),
  ];
}

function withoutApi(lines: readonly Line[]): string[] {
  return lines.flatMap(({ name, api, absent, like }) => {
    if (like !== undefined && absent === undefined)
      return [`${name} is said to be like ${like}, which has no row that says why it is absent`];
    if (api === '' || (api === undefined && absent === undefined)) return [`no API reaches ${name}`];
    return [];
  });
}

function unproven(lines: readonly Line[]): string[] {
  return lines
    .filter(line => line.absent === undefined && line.like === undefined && line.proven.length === 0)
    .map(({ name, api }) => `no passed test covers('${name}')${api ? `: ${api}` : ''}`);
}

function unrefused(lines: readonly Line[]): string[] {
  return lines
    .filter(line => line.absent !== undefined && line.refused.length === 0)
    .map(({ name, like }) =>
      like === undefined
        ? `no passed test shows the refusal('${name}')`
        : `no passed test shows the refusal('${name}') or that of ${like}`,
    );
}

function doneAfterAll(lines: readonly Line[]): string[] {
  return lines.flatMap(({ name, absent, proven: [proof] }) =>
    absent === undefined || proof === undefined
      ? []
      : [`${name} is said to be absent (${absent}); but ${nameOf(proof)} covers it`],
  );
}

function strayProofs({ proofs }: Sources, lines: readonly Line[]): string[] {
  const known = new Set(lines.map(line => line.name));
  const stray = [...proofs.proven, ...proofs.refused].filter(([name]) => !known.has(name));
  return [
    ...stray.flatMap(([name, [proof]]) => (proof ? [`${name} has no row; ${nameOf(proof)} proves it`] : [])),
    ...proofs.idle.map(proof => `${nameOf(proof)} claims ${proof.proven.join(', ')} outside of the lab`),
  ];
}

function nameOf({ file, title }: Proof): string {
  return `'${title}' (${file})`;
}
