import { type Code, type Local, unsigned, ValueType } from './code';
import { wasm, type WasmMemory } from './webassembly';

/** A function that is being written: its parameters are its first locals. */
export class FunctionCode {
  readonly #parameters: number;
  readonly #locals: ValueType[] = [];
  body: Code = [];

  /** @param parameters how many there are, 32 bits each */
  constructor(parameters: number) {
    this.#parameters = parameters;
  }

  parameter(index: number): Local {
    return index;
  }

  local32(): Local {
    return this.#add(ValueType.I32);
  }

  local64(): Local {
    return this.#add(ValueType.I64);
  }

  get parameters(): number {
    return this.#parameters;
  }

  /** @internal */
  encode(): number[] {
    const locals = this.#locals.flatMap(type => [1, type]);
    const code = [...unsigned(this.#locals.length), ...locals, ...this.body, 0x0b];
    return [...unsigned(code.length), ...code];
  }

  #add(type: ValueType): Local {
    return this.#parameters + this.#locals.push(type) - 1;
  }
}

const MAGIC = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
const Section = { TYPE: 1, IMPORT: 2, FUNCTION: 3, EXPORT: 7, CODE: 10 } as const;
const FUNCTION_TYPE = 0x60;
const SHARED_WITH_MAXIMUM = 0x03;

/** A compiled function: 32-bit numbers in, one out, as a signed number. */
export type Compiled = (...args: number[]) => number;

/**
 * Compiles a function over a shared memory. Addresses, sizes and masks are constants in its code: that, and a function of
 * its own for each ring, is what makes it as fast on the tenth ring as on the first.
 *
 * @param memory shared, with its size as its maximum
 */
export function compileOne(memory: WasmMemory, code: FunctionCode): Compiled {
  const pages = memory.buffer.byteLength / 65536;
  const parameters = Array.from({ length: code.parameters }, () => [ValueType.I32]);
  const limits = [SHARED_WITH_MAXIMUM, ...unsigned(pages), ...unsigned(pages)];
  const bytes = [
    ...MAGIC,
    ...section(Section.TYPE, [FUNCTION_TYPE, ...vector(parameters), 1, ValueType.I32]),
    ...section(Section.IMPORT, [...name('m'), ...name('m'), 2, ...limits]),
    ...section(Section.FUNCTION, [0]),
    ...section(Section.EXPORT, [...name('f'), 0, 0]),
    ...section(Section.CODE, code.encode()),
  ];
  const module = new wasm.Module(Uint8Array.from(bytes));
  const { exports } = new wasm.Instance(module, { m: { m: memory } });
  return exports['f'] as Compiled;
}

/** A section with one entry. */
function section(id: number, entry: readonly number[]): number[] {
  return [id, ...unsigned(entry.length + 1), 1, ...entry];
}

function vector(items: readonly (readonly number[])[]): number[] {
  return [...unsigned(items.length), ...items.flat()];
}

function name(text: string): number[] {
  return vector([...Buffer.from(text)].map(byte => [byte]));
}
