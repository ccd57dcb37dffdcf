import { execFileSync, spawnSync } from 'node:child_process';
import path from 'node:path';
import { packageRoot } from '../../../lab/paths.js';
import type { Outcome } from '../records.js';
import type { Instrument } from '../runner/mocha.js';
import { type Checks, compiler, type SanitizedAddon } from './addon.js';
import { deaths, loading, reportsTo } from './environment.js';
import { cleanOutcome, loadedOutcome, reportsIn } from './reports.js';

/** ThreadSanitizer: two threads at the same memory, one of them writing, with nothing that orders them. */
export const threadChecks: Checks = {
  name: 'threads',
  flags: '-fsanitize=thread',
  compilerFlags: '',
  symbols: ['__tsan_init', '__tsan_read'],
  library: 'libtsan.so',
};

/**
 * Node itself is not instrumented: what only its own code does is not looked at, and what it does with the locks of the
 * C library is understood. A report does not end the process, so that one run shows them all.
 */
const options = `${deaths}:ignore_noninstrumented_modules=1:report_signal_unsafe=0:exitcode=0`;

/** Runs tests with the addon that was built with {@link threadChecks}. */
export function threadSanitizer(addon: SanitizedAddon): Instrument {
  return {
    env: directory => ({
      ...loading(addon, directory),
      TSAN_OPTIONS: `${options}:${reportsTo(directory)}`,
    }),
    findings: directory => [
      loadedOutcome(directory),
      knownRaceOutcome(addon),
      cleanOutcome('no data race', races(reportsIn(directory))),
    ],
  };
}

function races(report: string): string[] {
  return report.split(/^(?==+$)/m).filter(part => part.includes('ThreadSanitizer'));
}

/** Whether a race that is there is found, in Node and with these options. */
function knownRaceOutcome({ file, runtime }: SanitizedAddon): Outcome {
  const title = 'a race that is there is found';
  const source = path.join(packageRoot, 'test/support/sanitize/race.cc');
  const racing = path.join(path.dirname(file), 'race.node');
  execFileSync(compiler(), ['-shared', '-fPIC', '-g', '-O1', threadChecks.flags, source, '-o', racing]);
  const load = `process.dlopen({ exports: {} }, ${JSON.stringify(racing)})`;
  const { stderr, status } = spawnSync(process.execPath, ['-e', load], {
    env: { ...process.env, LD_PRELOAD: runtime, TSAN_OPTIONS: options },
    encoding: 'utf8',
  });
  if (status === 0 && races(stderr).some(race => /data race[\s\S]*race\.cc/.test(race)))
    return { title, state: 'passed' };
  return { title, state: 'failed', detail: `exit code ${status}\n${stderr}` };
}
