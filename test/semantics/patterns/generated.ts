import { runInThisContext } from 'node:vm';
import { type Pattern, pattern, read, times, write } from '../pattern.js';

/** Programs and their length; always the same ones, so that a failure comes again. */
const programs = 40;
const length = 24;

/** Mulberry32: integers from 0 to `n - 1`, the same after the same seed. */
function generator(seed: number): (n: number) => number {
  let state = seed;
  return n => {
    state = (state + 0x6d2b_79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % n;
  };
}

/** A few registers, so that accesses meet: the same one again, one beside it, one inside another. */
const span = 16;

/** Straight code of random accesses, of whose reads some are used, some named, and most dead. */
function program(seed: number): Pattern {
  const random = generator(seed);
  const lines: string[] = [];
  const accesses: string[] = [];
  const memory = Buffer.alloc(span);
  for (let i = 0; i < length; i++) {
    const bits = [8, 16, 32, 64][random(4)] as number;
    const offset = random(span / (bits / 8)) * (bits / 8);
    const suffix = bits === 64 ? 'n' : '';
    if (random(2) === 0) {
      const value = BigInt.asUintN(bits, BigInt(random(2 ** 32)) * 0x1_0000_0001n);
      lines.push(`r.write${bits}(${offset}, ${value}${suffix});`);
      for (let byte = 0; byte < bits / 8; byte++)
        memory[offset + byte] = Number(BigInt.asUintN(8, value >> BigInt(8 * byte)));
      accesses.push(write(bits, offset, value));
    } else {
      const call = `r.read${bits}(${offset})`;
      lines.push(
        [`${call};`, `const v${i} = ${call};`, `sum += Number(${call}) & 1;`, `if (${call}) {}`][
          random(4)
        ] as string,
      );
      accesses.push(read(bits, offset, valueAt(memory, offset, bits)));
    }
  }
  const source = `r => { let sum = 0; ${lines.join('\n')} }`;
  return pattern({
    title: `generated program ${seed}`,
    body: runInThisContext(source) as Pattern['body'],
    accesses,
  });
}

function valueAt(memory: Buffer, offset: number, bits: number): bigint {
  let value = 0n;
  for (let byte = bits / 8 - 1; byte >= 0; byte--)
    value = (value << 8n) | BigInt(memory[offset + byte] as number);
  return value;
}

export const generated: readonly Pattern[] = times(programs, i => program(i + 1));
