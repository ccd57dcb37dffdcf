import { constants } from 'node:os';
import { parseArgs, type ParseArgsConfig } from 'node:util';

/**
 * Runs a program of the tests and exits with what `main` returns. A `RangeError` means a command line that makes no sense:
 * its message and the usage are shown, and the exit code is 2.
 */
export function runProgram(name: string, usage: string, main: () => Promise<number>): void {
  // By exiting, so that what must not outlive this process (children, machines, directories) is ended.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => process.exit(128 + constants.signals[signal]));
  }
  main().then(
    code => {
      process.exitCode = code;
    },
    (error: unknown) => {
      if (!(error instanceof RangeError)) throw error;
      process.stderr.write(`${name}: ${error.message}\n\n${usage}`);
      process.exitCode = 2;
    },
  );
}

/** @throws RangeError for a command line that makes no sense; its message is for the user */
export function parseOptions<const T extends NonNullable<ParseArgsConfig['options']>>(
  words: readonly string[],
  options: T,
): ReturnType<typeof parseArgs<{ args: string[]; options: T }>>['values'] {
  try {
    return parseArgs({ args: [...words], options }).values;
  } catch (error) {
    throw new RangeError((error as Error).message, { cause: error });
  }
}
