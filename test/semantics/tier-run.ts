import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { packageRoot } from '../../lab/paths.js';
import { type Outcome, outcomes } from '../support/records.js';
import type { AccessRecord } from './child.js';
import type { Tier } from './tiers.js';

/** A tier takes a second. Where reads are dropped a poll may never end. */
const timeoutMs = 60_000;

export interface TierResult {
  outcomes: Outcome[];
  /** How many accesses were seen; `undefined` when the process did not live to tell, or has no such tier. */
  accesses: number | undefined;
}

/** Runs the patterns that match in a tier of a Node. */
export async function runTier(
  program: string,
  tier: Tier,
  instrument: string,
  grep: string,
): Promise<TierResult> {
  const child = spawn(
    program,
    [...tier.flags, path.join(__dirname, 'child.js'), tier.name, instrument, grep],
    {
      cwd: packageRoot,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
    },
  );
  const kill = (): void => void child.kill('SIGKILL');
  process.on('exit', kill);
  try {
    const [records, said, [code, signal]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>,
    ]);
    const ending = code === 0 ? undefined : [signal ?? `exit code ${code}`, said.trim()].join('\n');
    return { outcomes: outcomes(records, ending, grep !== ''), accesses: accessesIn(records) };
  } finally {
    process.off('exit', kill);
  }
}

function accessesIn(records: string): number | undefined {
  const line = records.split('\n').find(one => one.startsWith('{"event":"accesses"'));
  return line === undefined ? undefined : (JSON.parse(line) as AccessRecord).count;
}
