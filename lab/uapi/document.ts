import type { Proof } from './evidence.js';
import type { HeaderEntry } from './header.js';
import type { Line, Sources } from './table.js';

/** The table as Markdown. The same sources give the same text, in whatever order the tests ran. */
export function document(sources: Sources, lines: readonly Line[], version: string): string {
  const sections = [...new Set(lines.map(line => line.section))];
  return [
    introduction(sources, version),
    summary(sections, lines),
    ...sections.map(title => section(title, lines)),
    leftOut(sources),
  ].join('\n');
}

function introduction({ headers }: Sources, version: string): string {
  return `# Coverage of the kernel's interface

Every name that ${headers.map(({ name }) => `\`${name}\``).join(' and ')} of Linux ${version} define: what of this package
reaches it, on which kernels and machines of the lab a test has had it done, and by which tests. Where no machine of the
lab can do it, the reason, and where a test has seen it refused or not there instead.

Made by \`npm run uapi\` from the headers, \`lab/uapi/rows\` and the results of \`npm test\` and \`npm run test:matrix\`; not
to be edited. \`npm run lab -- --list\` says what the machines are.
`;
}

function summary(titles: readonly string[], lines: readonly Line[]): string {
  const row = (title: string, of: readonly Line[]): string[] => [
    title,
    String(of.length),
    String(of.filter(line => status(line) === 'proven').length),
    String(of.filter(line => status(line) === 'absent').length),
    String(of.filter(line => status(line) === 'open').length),
  ];
  return table(
    ['', 'names', 'proven', 'refused, no machine has it', 'open'],
    [
      ...titles.map(title =>
        row(
          `[${title}](#${anchor(title)})`,
          lines.filter(line => line.section === title),
        ),
      ),
      row('in all', lines),
    ],
    ':---|---:|---:|---:|---:',
  );
}

function section(title: string, lines: readonly Line[]): string {
  const rows = lines
    .filter(line => line.section === title)
    .map(line => [name(line), line.api ?? '–', where(line), tests(line)]);
  return `## ${title}\n\n${table(['Name', 'API', 'Proven on', 'Tests'], rows, '---|---|---|---')}`;
}

function leftOut({ headers, excluded }: Sources): string {
  const reasons = new Map<string, string[]>();
  const add = (reason: string, what: string): void => {
    reasons.set(reason, [...(reasons.get(reason) ?? []), `\`${what}\``]);
  };
  for (const [what, reason] of Object.entries(excluded)) add(reason, what);
  for (const { kind, name: what } of headers.flatMap(header => header.entries)) {
    if (kind === 'guard') add('keeps the header from being read twice', what);
  }
  const items = [...reasons].map(([reason, names]) => `- ${reason}: ${names.join(', ')}\n`);
  return `## Left out\n\nNames that there is nothing to reach of:\n\n${items.join('')}`;
}

function status({ absent, proven, refused }: Line): 'proven' | 'absent' | 'open' {
  if (absent !== undefined) return refused.length > 0 ? 'absent' : 'open';
  return proven.length > 0 ? 'proven' : 'open';
}

function name({ name: what, entry }: Line): string {
  return `\`${what}\`${entry === undefined ? '' : ` ${value(entry)}`}`;
}

/** Ioctls and masks are known by their hexadecimal numbers. */
function value({ kind, value: number }: HeaderEntry): string {
  if (number === undefined) return '';
  return kind === 'ioctl' || number > 0xffffn ? `0x${number.toString(16)}` : number.toString();
}

function where(line: Line): string {
  const { absent, proven, refused } = line;
  if (absent === undefined) return proven.length > 0 ? machines(proven) : '**nowhere yet**';
  const instead = refused.length > 0 ? `refused on ${machines(refused)}` : '**refusal not tested yet**';
  return `none: ${absent}<br>${instead}`;
}

/** `6.1: stock`, a line for each kernel. */
function machines(proofs: readonly Proof[]): string {
  const kernels = new Map<string, Set<string>>();
  for (const { kernel, profile } of proofs) {
    const short = /^\d+\.\d+/.exec(kernel)?.[0] ?? kernel;
    // A test on no machine of the lab has seen this package refuse, not a kernel.
    const key = profile === undefined ? 'any' : short;
    kernels.set(key, (kernels.get(key) ?? new Set()).add(profile ?? 'machine'));
  }
  return [...kernels]
    .sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }))
    .map(([kernel, names]) =>
      kernel === 'any' ? 'any machine' : `${kernel}: ${[...names].sort().join(', ')}`,
    )
    .join('<br>');
}

/** The files, each linked, with the titles of the tests on hovering. */
function tests({ absent, proven, refused }: Line): string {
  const files = new Map<string, Set<string>>();
  for (const { file, title } of absent === undefined ? proven : refused) {
    files.set(file, (files.get(file) ?? new Set()).add(title));
  }
  return [...files]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([file, titles]) => {
      const label = file.replace(/^test\/(lab\/)?/, '').replace(/\.test\.ts$/, '');
      return `[${label}](../${file} "${quoted([...titles].sort().join('; '))}")`;
    })
    .join('<br>');
}

/** Fit for the title of a link inside a table. */
function quoted(text: string): string {
  return text.replace(/["\\]/g, '\\$&').replace(/\|/g, '\\|');
}

function table(heads: readonly string[], rows: readonly string[][], rule: string): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`;
  return `${line(heads)}|${rule}|\n${rows.map(line).join('')}`;
}

/** How a heading is referred to. */
function anchor(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');
}
