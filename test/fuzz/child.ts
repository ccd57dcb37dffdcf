/** The process that makes the calls: `child.js API-FILE WORLD SEED CALLS [--trace]`. See main.ts. */
import { readFileSync, writeSync } from 'node:fs';
import { collectGarbage } from '../support/resources.js';
import type { Api } from './api.js';
import { holdings } from './holdings.js';
import { hostWorld } from './host.js';
import { Session } from './session.js';
import { Violation } from './violation.js';
import { labWorld } from './lab.js';

/** How many calls belong together: from nothing open to everything closed. */
const sessionCalls = 2000;

async function main([file = '', where = '', seed = '', calls = '', ...flags]: string[]): Promise<number> {
  const api = JSON.parse(readFileSync(file, 'utf8')) as Api;
  const world = where === 'lab' ? await labWorld() : hostWorld();
  // Straight to the descriptor: what was printed must be there when the next call ends the process.
  const trace = flags.includes('--trace') ? (line: string) => void writeSync(1, `${line}\n`) : undefined;
  // To where there is an event loop, a listener, a cache of everything: the same each time, whatever comes then.
  await new Session(api, world, 0, undefined).run(sessionCalls, undefined).catch(() => undefined);
  await collectGarbage();
  const before = holdings();
  let made = 0;
  let reported = performance.now();
  for (let i = 0; made < Number(calls); i++) {
    const count = Math.min(sessionCalls, Number(calls) - made);
    const own = Number(seed) + i;
    writeSync(1, `@session ${own} ${made}\n`);
    const session = new Session(api, world, own, trace);
    try {
      await session.run(count, before);
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      const history =
        trace === undefined ? `The calls before that:\n  ${session.history().join('\n  ')}\n` : '';
      writeSync(1, `${error.message}\n${history}@violation ${own} ${count}\n`);
      return 1;
    }
    made += count;
    if (performance.now() - reported > 10_000) {
      reported = performance.now();
      const rss = Math.round(process.memoryUsage.rss() / 2 ** 20);
      writeSync(1, `fuzz: ${made} calls, seed ${own} done, ${rss} MiB\n`);
    }
  }
  writeSync(1, `@done ${made}\n`);
  return 0;
}

main(process.argv.slice(2)).then(
  code => process.exit(code),
  (error: unknown) => {
    console.error(error);
    process.exit(2);
  },
);
