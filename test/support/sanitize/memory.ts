import type { Writable } from 'node:stream';
import type { Outcome } from '../records.js';
import type { Instrument } from '../runner/mocha.js';
import type { Checks, SanitizedAddon } from './addon.js';
import { deaths, loading, reportsTo } from './environment.js';
import { leakOutcome } from './leaks.js';
import { cleanOutcome, loadedOutcome, reportsIn } from './reports.js';
import { variables } from './variables.js';

/** AddressSanitizer and UndefinedBehaviorSanitizer: everything that is undefined counts, and stops the process at once. */
export const memoryChecks: Checks = {
  name: 'memory',
  flags: '-fsanitize=address,undefined',
  compilerFlags: '-fno-sanitize-recover=all',
  symbols: ['__asan_init', '__ubsan_handle_'],
  library: 'libasan.so',
};

/** Runs tests with the addon that was built with {@link memoryChecks}. */
export function memorySanitizer(addon: SanitizedAddon): Instrument {
  return {
    env: directory => ({
      ...loading(addon, directory),
      ASAN_OPTIONS: `${deaths}:detect_leaks=1:${reportsTo(directory)}`,
      // The leaks are judged here; by itself each of Node's would make the process fail.
      LSAN_OPTIONS: 'exitcode=0',
      UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1',
      [variables.children]: `${deaths}:detect_leaks=0`,
    }),
    findings,
  };
}

/** What the sanitizers said in the directory of a run. */
function findings(directory: string, output: Writable): Outcome[] {
  const report = reportsIn(directory);
  const errors = report
    .split(/^(?==+$)/m)
    .filter(part => /ERROR: AddressSanitizer|runtime error:/.test(part));
  const { note, ...leaks } = leakOutcome(report);
  output.write(`  leaks: ${note}\n`);
  return [loadedOutcome(directory), cleanOutcome('no wrong access and nothing undefined', errors), leaks];
}
