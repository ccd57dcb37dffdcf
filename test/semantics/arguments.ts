import { majorOf, type NodeRelease, supportedNodes } from './nodes.js';
import { type Tier, tiers } from './tiers.js';
import { parseOptions } from '../support/runner/program.js';

export interface Arguments {
  help: boolean;
  nodes: readonly NodeRelease[];
  tiers: readonly Tier[];
  grep: string;
}

export const usage = `usage: npm run test:semantics -- [OPTIONS]

Records every memory access that the register accessors make (read8 to read64, write8 to write64 of a Mapping) and compares
them with what the source asks for, on every supported Node, in every tier of V8. The Nodes come from the npm registry once.

  --node MAJOR    only this Node: ${supportedNodes()
    .map(node => majorOf(node.version))
    .join(', ')}; may be given several times
  --tier NAME     only this tier: ${tiers.map(tier => tier.name).join(', ')}; may be given several times
  --grep PATTERN  only the patterns whose title matches the regular expression
  --help          show this text
`;

/** @throws RangeError for a command line that makes no sense; its message is for the user */
export function parseArguments(words: readonly string[]): Arguments {
  const { node, tier, grep = '', help = false } = options(words);
  return {
    help,
    nodes: choose('Node', supportedNodes(), one => majorOf(one.version), node),
    tiers: choose('tier', tiers, one => one.name, tier),
    grep,
  };
}

function options(words: readonly string[]): {
  node?: string[];
  tier?: string[];
  grep?: string;
  help?: boolean;
} {
  return parseOptions(words, {
    node: { type: 'string', multiple: true },
    tier: { type: 'string', multiple: true },
    grep: { type: 'string' },
    help: { type: 'boolean' },
  });
}

function choose<T>(
  what: string,
  all: readonly T[],
  nameOf: (one: T) => string,
  wanted: readonly string[] = all.map(nameOf),
): T[] {
  const known = new Set(all.map(nameOf));
  const unknown = wanted.find(name => !known.has(name));
  if (unknown !== undefined)
    throw new RangeError(`there is no ${what} '${unknown}'; there are: ${[...known].join(', ')}`);
  return all.filter(one => wanted.includes(nameOf(one)));
}
