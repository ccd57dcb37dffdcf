import { evaluate } from './expression.js';

/** A name that a header of the kernel's interface defines for its users. */
export interface HeaderEntry {
  name: string;
  /** `guard`: what keeps the header from being read twice; `macro`: takes arguments; `text`: not a number. */
  kind: 'ioctl' | 'constant' | 'enumerator' | 'text' | 'macro' | 'guard';
  /** As far as it is a number. */
  value?: bigint;
  /** Where it is defined, from 1. */
  line: number;
}

/**
 * Reads a header completely: everything a preprocessor or a compiler would give a name and a value, in the order of the
 * text. What lies behind conditions is taken along, whatever they say.
 *
 * @throws SyntaxError for what it does not understand, rather than passing over something
 */
export function parseHeader(text: string): HeaderEntry[] {
  const entries: HeaderEntry[] = [];
  const values = new Map<string, bigint>();
  const add = (entry: HeaderEntry): void => {
    entries.push(entry);
    if (entry.value !== undefined) values.set(entry.name, entry.value);
  };
  const { directives, code } = split(withoutComments(text));
  const guard = guardOf(directives);
  const enums = enumsOf(code);
  // A definition may use what comes before it, of either kind.
  for (const piece of [...directives, ...enums].sort((a, b) => a.line - b.line)) {
    if ('enumerators' in piece) addEnumerators(piece, values, add);
    else if (piece.name === 'define') add(define(piece, values, guard));
  }
  return entries;
}

interface Directive {
  name: string;
  rest: string;
  line: number;
}

interface Enum {
  enumerators: { name: string; expression: string | undefined; line: number }[];
  line: number;
}

/** Comments become blanks; the lines stay where they are. Strings and characters may look as if they held comments. */
function withoutComments(text: string): string {
  return text.replace(/"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|\/\*[^]*?\*\/|\/\/[^\n]*/g, found =>
    found.startsWith('/') ? ` ${found.replace(/[^\n]/g, '')}` : found,
  );
}

/** Parts the preprocessor's lines from the compiler's; the latter keep their places. */
function split(text: string): { directives: Directive[]; code: string } {
  const directives: Directive[] = [];
  const code: string[] = [];
  const lines = text.split('\n');
  for (let i = 0; i < lines.length; i++) {
    const line = i + 1;
    let joined = lines[i] ?? '';
    if (!/^\s*#/.test(joined)) {
      code.push(joined);
      continue;
    }
    code.push('');
    while (joined.endsWith('\\')) {
      joined = `${joined.slice(0, -1)} ${lines[++i] ?? ''}`;
      code.push('');
    }
    const [, name = '', rest = ''] = /^\s*#\s*(\w*)\s*(.*?)\s*$/.exec(joined) ?? [];
    if (!/^(define|include|if|ifdef|ifndef|elif|else|endif)$/.test(name)) {
      throw new SyntaxError(`line ${line}: the directive #${name} is not understood`);
    }
    directives.push({ name, rest, line });
  }
  return { directives, code: code.join('\n') };
}

/** The name that the whole header depends on: defined as nothing, right after the question whether it is. */
function guardOf(directives: readonly Directive[]): string | undefined {
  const [first, second] = directives;
  if (first?.name !== 'ifndef' || second?.name !== 'define') return undefined;
  return second.rest === first.rest ? first.rest : undefined;
}

function define({ rest, line }: Directive, values: Map<string, bigint>, guard?: string): HeaderEntry {
  const [, name, parameters, body = ''] = /^(\w+)(\([^)]*\))?\s*(.*)$/.exec(rest) ?? [];
  if (name === undefined) throw new SyntaxError(`line ${line}: a #define without a name`);
  if (name === guard) return { name, kind: 'guard', line };
  if (parameters !== undefined) return { name, kind: 'macro', line };
  const value = evaluate(body, values);
  if (value === undefined) return { name, kind: /^_IO[RW]*\s*\(/.test(body) ? 'ioctl' : 'text', line };
  return { name, kind: /^_IO\s*\(/.test(body) ? 'ioctl' : 'constant', value, line };
}

function addEnumerators(
  { enumerators }: Enum,
  values: Map<string, bigint>,
  add: (entry: HeaderEntry) => void,
): void {
  let next = 0n;
  for (const { name, expression, line } of enumerators) {
    const value = expression === undefined ? next : evaluate(expression, values);
    if (value === undefined)
      throw new SyntaxError(`line ${line}: the value of ${name} is not understood: ${String(expression)}`);
    add({ name, kind: 'enumerator', value, line });
    next = value + 1n;
  }
}

/** Every definition of an enumeration, wherever it stands. */
function enumsOf(code: string): Enum[] {
  return [...code.matchAll(/\benum\b(?:\s+\w+)?\s*\{/g)].map(found => {
    const start = found.index + found[0].length;
    const end = code.indexOf('}', start);
    const line = lineAt(code, found.index);
    if (end < 0) throw new SyntaxError(`line ${line}: an enumeration that does not end`);
    let at = start;
    const enumerators = code
      .slice(start, end)
      .split(',')
      .flatMap(item => {
        const itemLine = lineAt(code, at + item.length - item.trimStart().length);
        at += item.length + 1;
        // After the last comma there is nothing.
        if (item.trim() === '') return [];
        const [, name, expression] = /^\s*(\w+)\s*(?:=\s*([^]*?))?\s*$/.exec(item) ?? [];
        if (name === undefined) throw new SyntaxError(`line ${itemLine}: no enumerator: ${item.trim()}`);
        return [{ name, expression, line: itemLine }];
      });
    return { enumerators, line };
  });
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}
