/** `npm run test:semantics`: which memory accesses register accessors really make. See `usage`. */
import { performance } from 'node:perf_hooks';
import { LabError } from '../../lab/error.js';
import { progressOn } from '../../lab/progress.js';
import { storeResults } from '../../lab/uapi/results.js';
import { count, countText, runStages, type Stage } from '../support/runner/stage.js';
import { section, table } from '../support/runner/summary.js';
import { type Arguments, parseArguments, usage } from './arguments.js';
import { buildInstrument } from './instrument.js';
import { majorOf, type NodeRelease } from './nodes.js';
import { runTier } from './tier-run.js';
import { runProgram } from '../support/runner/program.js';

/** By Node and tier. */
type Accesses = Map<string, Map<string, number | undefined>>;

const progress = progressOn(process.stdout, 500);

/** Gets a Node and makes its stage; without it everything on it is skipped. */
async function stageOf(
  node: NodeRelease,
  given: Arguments,
  instrument: string,
  seen: Accesses,
): Promise<Stage> {
  const name = `semantics of Node ${node.version}`;
  const counts = new Map<string, number | undefined>();
  seen.set(node.version, counts);
  let program: string;
  try {
    program = await node.program(progress);
  } catch (error) {
    if (!(error instanceof LabError)) throw error;
    const detail = `Node ${majorOf(node.version)} cannot be had: ${error.message.split('\n').at(-1) ?? ''}`;
    return { name, run: () => Promise.resolve([{ title: 'all patterns', state: 'skipped', detail }]) };
  }
  const run: Stage['run'] = async () => {
    const all = [];
    for (const tier of given.tiers) {
      const { outcomes, accesses } = await runTier(program, tier, instrument, given.grep);
      counts.set(tier.name, accesses);
      all.push(...outcomes.map(one => ({ ...one, title: `${tier.name}: ${one.title}` })));
    }
    return all;
  };
  return { name, run };
}

function overview({ tiers }: Arguments, seen: Accesses): string {
  const cell = (value: number | undefined): string => value?.toLocaleString('en') ?? '-';
  return table([
    ['accesses traced', ...tiers.map(tier => tier.name)],
    ...[...seen].map(([version, counts]) => [
      `Node ${version}`,
      ...tiers.map(tier => cell(counts.get(tier.name))),
    ]),
  ]);
}

async function main(): Promise<number> {
  const given = parseArguments(process.argv.slice(2));
  if (given.help) {
    process.stdout.write(usage);
    return 0;
  }
  if (process.arch !== 'x64') {
    process.stdout.write('test:semantics: the instrument knows x86-64 only\n0 passed, 0 failed, 1 skipped\n');
    return 0;
  }
  const start = performance.now();
  const instrument = await buildInstrument(progress);
  const seen: Accesses = new Map();
  const stages: Stage[] = [];
  for (const node of given.nodes) stages.push(await stageOf(node, given, instrument, seen));
  const results = await runStages(stages, process.stdout);
  if (given.grep === '') storeResults(results);
  const all = results.flatMap(result => result.outcomes);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  const sections = [
    overview(given, seen),
    section('Skipped', results, 'skipped'),
    section('Failed', results, 'failed'),
  ];
  process.stdout.write(
    `\n${sections.filter(text => text !== '').join('\n')}\nin ${seconds} s\n${countText(all)}\n`,
  );
  return all.length === 0 || count(all, 'failed') > 0 ? 1 : 0;
}

runProgram('test:semantics', usage, main);
