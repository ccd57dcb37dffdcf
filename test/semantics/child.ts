/**
 * All patterns in one tier of the Node that runs this: `child.js TIER INSTRUMENT [PATTERN]`. It writes records, as the tests'
 * reporter does, to standard output, and as the last one how many accesses it saw.
 */
import { writeSync } from 'node:fs';
import type { TestRecord } from '../support/records.js';
import { FileBar } from './bar.js';
import { loadInstrument } from './instrument.js';
import { generated } from './patterns/generated.js';
import { polling } from './patterns/polling.js';
import { reads } from './patterns/reads.js';
import { refusals } from './patterns/refusals.js';
import { surprises } from './patterns/surprises.js';
import { writes } from './patterns/writes.js';
import { probes } from './probes.js';
import { Runner } from './runner.js';
import { tiers } from './tiers.js';

export interface AccessRecord {
  event: 'accesses';
  count: number;
}

const [name = '', file = '', wanted = ''] = process.argv.slice(2);

// Synchronously, so that a process that dies leaves behind in which pattern it was.
function tell(record: TestRecord | AccessRecord): void {
  writeSync(1, `${JSON.stringify(record)}\n`);
}

function test(title: string, body: () => void): void {
  if (!new RegExp(wanted).test(title)) return;
  tell({ event: 'begin', title: [title] });
  try {
    body();
    tell({ event: 'end', title: [title], state: 'passed' });
  } catch (error) {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    tell({ event: 'end', title: [title], state: 'failed', detail });
  }
}

const tier = tiers.find(one => one.name === name);
if (tier === undefined) throw new RangeError(`there is no tier '${name}'`);
const lack = tier.lack();
if (lack !== undefined) {
  tell({ event: 'end', title: ['all patterns'], state: 'skipped', detail: lack });
} else {
  using bar = new FileBar(4096);
  const runner = new Runner(bar, loadInstrument(file), tier);
  probes.forEach(({ title, accesses }, kind) => test(title, () => runner.probe(kind, accesses)));
  for (const pattern of [...reads, ...polling, ...writes, ...surprises, ...refusals, ...generated])
    test(pattern.title, () => runner.check(pattern));
  tell({ event: 'accesses', count: runner.accesses });
}
tell({ event: 'done' });
