/**
 * WebAssembly instructions as functions: each returns the bytes of an expression, operands first. Just those that loops over
 * descriptors are made of; section numbers are those of the WebAssembly specification 2.0, 5.4.
 */

/** Instructions, encoded. */
export type Code = readonly number[];

/** A local variable of a function: its index. */
export type Local = number & { readonly type?: ValueType };
export const ValueType = { I32: 0x7f, I64: 0x7e } as const;
export type ValueType = (typeof ValueType)[keyof typeof ValueType];

/** 5.2.2: LEB128. */
export function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return [...bytes, rest];
}

function signed(value: bigint): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>= 7n) {
    const low = Number(rest & 0x7fn);
    const done = rest >> 7n === (low >= 0x40 ? -1n : 0n);
    bytes.push(done ? low : low | 0x80);
    if (done) return bytes;
  }
}

/** A 32-bit constant, signed or not. */
export const i32 = (value: number): Code => [0x41, ...signed(BigInt(value | 0))];
/** A 64-bit constant, signed or not. */
export const i64 = (value: bigint): Code => [0x42, ...signed(BigInt.asIntN(64, value))];

export const get = (local: Local): Code => [0x20, ...unsigned(local)];
export const set = (local: Local, value: Code): Code => [...value, 0x21, ...unsigned(local)];

/** An access to memory at an address plus a constant. */
type Load = (address: Code, offset: number) => Code;
type Store = (address: Code, offset: number, value: Code) => Code;
/** @param alignment what the address is a multiple of, as a power of two */
const load =
  (opcode: readonly number[], alignment: number): Load =>
  (address, offset) => [...address, ...opcode, alignment, ...unsigned(offset)];
const store =
  (opcode: number, alignment: number): Store =>
  (address, offset, value) => [...address, ...value, opcode, alignment, ...unsigned(offset)];

export const load8 = load([0x2d], 0);
export const load32 = load([0x28], 2);
export const load64 = load([0x29], 3);
/** A load that is neither dropped, merged nor repeated, and before which no later one is made. */
export const atomicLoad64 = load([0xfe, 0x11], 3);
export const store8 = store(0x3a, 0);
export const store32 = store(0x36, 2);
export const store64 = store(0x37, 3);

/** Accesses to frames, whose fields lie anywhere. */
export const unaligned = {
  load16: load([0x2f], 0),
  load32: load([0x28], 0),
  load64: load([0x29], 0),
  store16: store(0x3b, 0),
  store32: store(0x36, 0),
  store64: store(0x37, 0),
} as const;

/** Stores whose address and value are on the stack already. */
const bare = (opcode: number) => (offset: number) => [opcode, 0, ...unsigned(offset)];
export const storeStacked = { 1: bare(0x3a), 2: bare(0x3b), 4: bare(0x36), 8: bare(0x37) } as const;

/** Sixteen bytes from one place to another. */
export const copy128 = (to: Code, toOffset: number, from: Code, fromOffset: number): Code => [
  ...to,
  ...from,
  ...[0xfd, 0x00, 2, ...unsigned(fromOffset)],
  ...[0xfd, 0x0b, 2, ...unsigned(toOffset)],
];

type Binary = (a: Code, b: Code) => Code;
const binary =
  (opcode: number): Binary =>
  (a, b) => [...a, ...b, opcode];

export const add = binary(0x6a);
export const sub = binary(0x6b);
export const and = binary(0x71);
export const or = binary(0x72);
export const shiftLeft = binary(0x74);
export const shiftRight = binary(0x76);
export const equal = binary(0x46);
export const different = binary(0x47);
export const less = binary(0x49);
export const greater = binary(0x4b);
export const not = (a: Code): Code => [...a, 0x45];

export const add64 = binary(0x7c);
export const and64 = binary(0x83);
export const or64 = binary(0x84);
export const shiftLeft64 = binary(0x86);
export const shiftRight64 = binary(0x88);
export const different64 = binary(0x52);
export const isZero64 = (a: Code): Code => [...a, 0x50];

/** The low half of a 64-bit number. */
export const low = (a: Code): Code => [...a, 0xa7];
/** A 32-bit number as an unsigned 64-bit one. */
export const wide = (a: Code): Code => [...a, 0xad];

const NOTHING = 0x40;

/** Leaves the block or repeats the loop that is `depth` levels out. */
export const jump = (depth: number): Code => [0x0c, ...unsigned(depth)];
export const jumpIf = (depth: number, condition: Code): Code => [...condition, 0x0d, ...unsigned(depth)];
/** Ends the function with a result. */
export const give = (value: Code): Code => [...value, 0x0f];
export const block = (...body: Code[]): Code => [0x02, NOTHING, ...body.flat(), 0x0b];
export const loop = (...body: Code[]): Code => [0x03, NOTHING, ...body.flat(), 0x0b];
/** Both branches count as a level for {@link jump}. */
export const when = (condition: Code, then: Code[], otherwise: Code[] = []): Code => [
  ...condition,
  ...[0x04, NOTHING],
  ...then.flat(),
  ...(otherwise.length > 0 ? [0x05, ...otherwise.flat()] : []),
  0x0b,
];
export const choose = (condition: Code, yes: Code, no: Code): Code => [...yes, ...no, ...condition, 0x1b];
export const seq = (...parts: Code[]): Code => parts.flat();
