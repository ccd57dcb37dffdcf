import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Writable } from 'node:stream';
import type { Outcome } from '../records.js';
import type { Instrument } from '../runner/mocha.js';
import type { SanitizedAddon } from './addon.js';
import { leakOutcome } from './leaks.js';
import { variables } from './variables.js';

/** Deaths by signal stay what they are: tests look for them. */
const common = 'handle_segv=1:handle_abort=0:handle_sigbus=0:allow_user_segv_handler=1';

/** Runs tests with the sanitized addon. */
export function sanitizers({ file, runtime }: SanitizedAddon): Instrument {
  return {
    env: directory => ({
      LD_PRELOAD: runtime,
      NODE_OPTIONS: `--require=${path.join(__dirname, 'preload.js')}`,
      ASAN_OPTIONS: `${common}:detect_leaks=1:log_path=${path.join(directory, variables.report)}`,
      // The leaks are judged here; by itself each of Node's would make the process fail.
      LSAN_OPTIONS: 'exitcode=0',
      UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1',
      [variables.addon]: file,
      [variables.directory]: directory,
      [variables.children]: `${common}:detect_leaks=0`,
    }),
    findings,
  };
}

/** What the sanitizers said in the directory of a run. */
function findings(directory: string, output: Writable): Outcome[] {
  const loaded = existsSync(path.join(directory, variables.loaded));
  const report = readdirSync(directory)
    .filter(name => name.startsWith(`${variables.report}.`))
    .map(name => readFileSync(path.join(directory, name), 'utf8'))
    .join('\n');
  const errors = report
    .split(/^(?==+$)/m)
    .filter(part => /ERROR: AddressSanitizer|runtime error:/.test(part));
  const { note, ...leaks } = leakOutcome(report);
  output.write(`  leaks: ${note}\n`);
  return [
    loaded
      ? { title: 'the sanitized addon was the one that ran', state: 'passed' }
      : { title: 'the sanitized addon was the one that ran', state: 'failed', detail: 'it was never loaded' },
    errors.length === 0
      ? { title: 'no wrong access and nothing undefined', state: 'passed' }
      : { title: 'no wrong access and nothing undefined', state: 'failed', detail: errors.join('\n') },
    leaks,
  ];
}
