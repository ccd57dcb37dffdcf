import { gather, type Proof } from '../../../lab/uapi/evidence.js';
import type { HeaderEntry } from '../../../lab/uapi/header.js';
import type { Row } from '../../../lab/uapi/row.js';
import { type Line, linesOf, type Sources } from '../../../lab/uapi/table.js';

/** A table of its own, made of the least. */
export interface Made {
  names?: readonly string[];
  rows?: Readonly<Record<string, Row>>;
  excluded?: Readonly<Record<string, string>>;
  proofs?: readonly Proof[];
}

export function made({ names = [], rows = {}, excluded = {}, proofs = [] }: Made): {
  sources: Sources;
  lines: Line[];
} {
  const entries = names.map((name, i): HeaderEntry => ({
    name,
    kind: 'constant',
    value: BigInt(i),
    line: i + 1,
  }));
  const sources = {
    headers: [{ name: 'linux/gauge.h', entries }],
    sections: [{ title: 'Gauges', rows }],
    excluded,
    proofs: gather(proofs),
  };
  return { sources, lines: linesOf(sources) };
}

/** A test that passed on the stock machine. */
export function proof(
  proven: readonly string[],
  refused: readonly string[] = [],
  others: Partial<Proof> = {},
): Proof {
  return {
    title: 'gauge > works',
    file: 'test/lab/gauge.test.ts',
    profile: 'stock',
    kernel: '6.1.0-56-amd64',
    proven,
    refused,
    ...others,
  };
}
