/** The public API as data, read from the package's own declarations: what can be called, and with what. */
import * as path from 'node:path';
import ts from 'typescript';

export type Type =
  | { kind: 'number' | 'bigint' | 'string' | 'boolean' | 'function' | 'undefined' | 'unknown' }
  | { kind: 'literal'; value: string | number | boolean }
  | { kind: 'union'; of: Type[] }
  | { kind: 'array'; of: Type }
  | { kind: 'object'; properties: Parameter[] }
  /** One of the package's classes. */
  | { kind: 'class'; name: string }
  /** One of the language's or the runtime's. */
  | { kind: 'builtin'; name: string };

export interface Parameter {
  name: string;
  type: Type;
  optional: boolean;
}
export interface Callable {
  name: string;
  parameters: Parameter[];
}
export interface ClassApi {
  /** Only those that anybody may construct. */
  constructible: boolean;
  statics: Callable[];
  methods: Callable[];
  getters: string[];
  setters: Parameter[];
}
export interface Api {
  functions: Callable[];
  classes: Record<string, ClassApi>;
}

const builtins = new Set([
  'Uint8Array',
  'BigUint64Array',
  'ArrayBuffer',
  'SharedArrayBuffer',
  'ArrayBufferView',
  'AbortSignal',
]);
/** Options within options within options. */
const deepest = 4;

/** @param declarations the directory of the compiled declarations, which lack what is internal */
export function readApi(declarations: string): Api {
  const index = path.join(declarations, 'index.d.ts');
  const program = ts.createProgram([index], {
    strict: true,
    skipLibCheck: true,
    target: ts.ScriptTarget.ES2023,
    lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
    types: ['node'],
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
  });
  const file = program.getSourceFile(index);
  const checker = program.getTypeChecker();
  const symbol = file && checker.getSymbolAtLocation(file);
  if (symbol === undefined) throw new Error(`${index} declares nothing`);
  return new Reader(checker, declarations).read(symbol);
}

class Reader {
  constructor(
    private readonly checker: ts.TypeChecker,
    private readonly directory: string,
  ) {}

  read(module: ts.Symbol): Api {
    const api: Api = { functions: [], classes: {} };
    for (const exported of this.checker.getExportsOfModule(module)) {
      const symbol =
        exported.flags & ts.SymbolFlags.Alias ? this.checker.getAliasedSymbol(exported) : exported;
      if (symbol.flags & ts.SymbolFlags.Function) {
        api.functions.push(...this.#callable(exported.name, this.checker.getTypeOfSymbol(symbol)));
      }
      if (symbol.flags & ts.SymbolFlags.Class) api.classes[exported.name] = this.#class(symbol);
    }
    return api;
  }

  #class(symbol: ts.Symbol): ClassApi {
    const type = this.checker.getTypeOfSymbol(symbol);
    const instance = this.checker.getDeclaredTypeOfSymbol(symbol);
    const members = this.checker.getPropertiesOfType(instance).filter(member => this.#isOurs(member));
    const statics = this.checker.getPropertiesOfType(type).filter(member => this.#isOurs(member));
    const accessors = members.filter(
      member => member.flags & (ts.SymbolFlags.Accessor | ts.SymbolFlags.Property),
    );
    const [constructor] = this.checker.getSignaturesOfType(type, ts.SignatureKind.Construct);
    const declared = constructor?.declaration;
    return {
      // Those that are internal are not even declared.
      constructible:
        declared !== undefined &&
        constructor?.parameters.length === 0 &&
        (ts.getCombinedModifierFlags(declared) & ts.ModifierFlags.Private) === 0,
      statics: statics.flatMap(member => this.#method(member)),
      methods: members.flatMap(member => this.#method(member)),
      getters: accessors.map(member => member.name),
      setters: accessors
        .filter(member => member.declarations?.some(one => ts.isSetAccessor(one)))
        .map(member => ({
          name: member.name,
          type: this.#type(this.checker.getTypeOfSymbol(member)),
          optional: false,
        })),
    };
  }

  #method(member: ts.Symbol): Callable[] {
    if (!(member.flags & ts.SymbolFlags.Method)) return [];
    return this.#callable(nameOf(member), this.checker.getTypeOfSymbol(member));
  }

  /** One for each overload. */
  #callable(name: string, type: ts.Type): Callable[] {
    return this.checker.getSignaturesOfType(type, ts.SignatureKind.Call).map(signature => ({
      name,
      parameters: signature.parameters.map(parameter => ({
        name: parameter.name,
        type: this.#type(this.checker.getTypeOfSymbol(parameter)),
        optional:
          parameter.declarations?.some(
            one => ts.isParameter(one) && this.checker.isOptionalParameter(one),
          ) === true,
      })),
    }));
  }

  #type(type: ts.Type, depth = 0): Type {
    const { flags } = type;
    if (flags & ts.TypeFlags.Undefined) return { kind: 'undefined' };
    if (flags & ts.TypeFlags.BooleanLike) return { kind: 'boolean' };
    if (type.isStringLiteral() || type.isNumberLiteral()) return { kind: 'literal', value: type.value };
    if (flags & ts.TypeFlags.NumberLike) return { kind: 'number' };
    if (flags & ts.TypeFlags.StringLike) return { kind: 'string' };
    if (flags & ts.TypeFlags.BigIntLike) return { kind: 'bigint' };
    if (type.isUnion()) return { kind: 'union', of: type.types.map(one => this.#type(one, depth)) };
    const name = type.getSymbol()?.name ?? '';
    if (builtins.has(name)) return { kind: 'builtin', name };
    if (type.isClass() || type.getSymbol()?.flags === ts.SymbolFlags.Class) return { kind: 'class', name };
    if (this.checker.isArrayLikeType(type)) {
      const [element] = this.checker.getTypeArguments(type as ts.TypeReference);
      return { kind: 'array', of: element ? this.#type(element, depth + 1) : { kind: 'unknown' } };
    }
    if (type.getCallSignatures().length > 0) return { kind: 'function' };
    if (!(flags & ts.TypeFlags.Object) || depth >= deepest) return { kind: 'unknown' };
    return {
      kind: 'object',
      properties: this.checker.getPropertiesOfType(type).map(property => ({
        name: property.name,
        type: this.#type(this.checker.getTypeOfSymbol(property), depth + 1),
        optional: (property.flags & ts.SymbolFlags.Optional) !== 0,
      })),
    };
  }

  /** Not inherited from the runtime. */
  #isOurs(member: ts.Symbol): boolean {
    return (
      member.declarations?.some(one => one.getSourceFile().fileName.startsWith(this.directory)) === true &&
      !member.name.includes('#')
    );
  }
}

/** `dispose` for `[Symbol.dispose]`, which the checker calls `__@dispose@123`. */
function nameOf(member: ts.Symbol): string {
  const wellKnown = /^__@(\w+)@\d+$/.exec(member.name);
  return wellKnown === null ? member.name : `@@${wellKnown[1] ?? ''}`;
}
