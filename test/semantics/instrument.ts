import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { cached } from '../../lab/cache.js';
import { mustRun } from '../../lab/command.js';
import { LabError } from '../../lab/error.js';
import { cacheDirectory, packageRoot } from '../../lab/paths.js';
import type { Progress } from '../../lab/progress.js';

/** One instruction's access to the watched memory. */
export interface Access {
  /** From the start of the memory, in bytes. */
  offset: number;
  /** Bytes; 0 when the instrument does not know the instruction. */
  width: number;
  reads: boolean;
  writes: boolean;
  /** What was read, or what is there after a write. */
  value: bigint;
  /** The first bytes of the instruction, in hexadecimal. */
  code: string;
}

/**
 * The software bus analyser (test/semantics/tracer): it sees every single access that is made to some memory of this
 * process, by whatever code.
 */
export interface Instrument {
  start(address: bigint, length: number): void;
  stop(): Access[];
  /** Each read at `offset` finds the next of these values, and then for ever the last one. */
  serve(offset: number, values: readonly bigint[]): void;
  serveNothing(): void;
  /** Makes accesses that are known beforehand, to test the instrument itself (probe.cc). */
  probe(kind: number, address: bigint): void;
}

const sources = path.join(packageRoot, 'test', 'semantics', 'tracer');
const flags = ['-std=c++17', '-O2', '-fPIC', '-shared', '-Wall', '-Wextra', '-Werror'];

/** Compiles the instrument, into the cache. Returns the addon's file: Node-API, so one for every Node. */
export async function buildInstrument(progress: Progress): Promise<string> {
  const files = readdirSync(sources).sort();
  const hash = createHash('sha256').update(flags.join(' '));
  for (const name of files) hash.update(`${name}\0`).update(readFileSync(path.join(sources, name)));
  const home = path.join(cacheDirectory(), 'tracer', hash.digest('hex').slice(0, 16));
  const directory = await cached(home, progress, temporary =>
    progress('compiling the instrument', async () => {
      const units = files.filter(name => name.endsWith('.cc')).map(name => path.join(sources, name));
      const output = path.join(temporary, 'tracer.node');
      await mustRun(['g++', ...flags, `-I${headers()}`, '-o', output, ...units]);
    }),
  );
  return path.join(directory, 'tracer.node');
}

/** Node's headers, from where the package's own addon was built with. */
function headers(): string {
  const text = readFileSync(path.join(packageRoot, 'build', 'config.gypi'), 'utf8');
  const directory = /"nodedir": "(.+)"/.exec(text)?.[1];
  if (directory === undefined)
    throw new LabError('build/config.gypi names no "nodedir": build the addon anew');
  return path.join(directory, 'include', 'node');
}

export function loadInstrument(file: string): Instrument {
  return createRequire(__filename)(file) as Instrument;
}
