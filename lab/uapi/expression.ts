/** The values of names defined so far. */
export type Values = ReadonlyMap<string, bigint>;

/**
 * The value of a constant expression of C, as far as headers of the kernel's interface use them: numbers, names, the
 * usual operators, and the macros that make ioctl numbers without a size.
 *
 * @returns `undefined` for what is no such expression, such as a text or one with an unknown name
 */
export function evaluate(text: string, values: Values): bigint | undefined {
  try {
    const parser = new Parser(tokensOf(text), values);
    const value = parser.binary(0);
    return parser.atEnd ? value : undefined;
  } catch (error) {
    if (error instanceof NotConstant) return undefined;
    throw error;
  }
}

class NotConstant extends Error {}

function tokensOf(text: string): string[] {
  const pattern = /\s*(0[xX][0-9a-fA-F]+|\d+|[A-Za-z_]\w*|'[^'\\]'|<<|>>|[-+|&~(),])/y;
  const tokens: string[] = [];
  const rest = text.trimEnd();
  while (pattern.lastIndex < rest.length) {
    const token = pattern.exec(rest)?.[1];
    if (token === undefined) throw new NotConstant(rest);
    tokens.push(token);
    // The suffix of a number says how wide it is, which does not matter here.
    if (/^\d/.test(token)) while (/[uUlL]/.test(rest[pattern.lastIndex] ?? '')) pattern.lastIndex++;
  }
  return tokens;
}

/** The operators of each precedence, the loosest first. */
const operators: readonly Readonly<Record<string, (a: bigint, b: bigint) => bigint>>[] = [
  { '|': (a, b) => a | b },
  { '&': (a, b) => a & b },
  { '<<': (a, b) => a << b, '>>': (a, b) => a >> b },
  { '+': (a, b) => a + b, '-': (a, b) => a - b },
];

class Parser {
  #at = 0;

  constructor(
    private readonly tokens: readonly string[],
    private readonly values: Values,
  ) {}

  get atEnd(): boolean {
    return this.#at === this.tokens.length;
  }

  binary(level: number): bigint {
    const here = operators[level];
    if (here === undefined) return this.#unary();
    let value = this.binary(level + 1);
    for (;;) {
      const operator = here[this.tokens[this.#at] ?? ''];
      if (operator === undefined) return value;
      this.#at++;
      value = operator(value, this.binary(level + 1));
    }
  }

  #unary(): bigint {
    const token = this.#next();
    if (token === '-') return -this.#unary();
    if (token === '~') return ~this.#unary();
    if (token === '(') return this.#closed(this.binary(0));
    if (/^\d/.test(token)) return BigInt(token);
    if (token.startsWith("'")) return BigInt(token.charCodeAt(1));
    if (token === '_IO') return this.#ioctl();
    const value = this.values.get(token);
    if (value === undefined) throw new NotConstant(token);
    return value;
  }

  /** `_IO(type, number)`: the two lowest bytes of an ioctl without an argument size. */
  #ioctl(): bigint {
    this.#expect('(');
    const type = this.binary(0);
    this.#expect(',');
    return this.#closed((type << 8n) | this.binary(0));
  }

  #closed(value: bigint): bigint {
    this.#expect(')');
    return value;
  }

  #expect(token: string): void {
    if (this.#next() !== token) throw new NotConstant(token);
  }

  #next(): string {
    const token = this.tokens[this.#at++];
    if (token === undefined) throw new NotConstant('it ends too early');
    return token;
  }
}
