/** What the programs for NICs have in common: ending by a signal, and saying what went wrong. */

/** Runs a program until it ends by itself or `signal` is aborted by Ctrl-C; everything is given back either way. */
export function runProgram(main: (args: readonly string[], signal: AbortSignal) => Promise<void>): void {
  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, onSignal);
  main(process.argv.slice(2), stop.signal)
    .catch((error: unknown) => {
      // Ctrl-C while it was waiting for something.
      if (stop.signal.aborted && error instanceof Error && error.name === 'AbortError') return;
      console.error(error instanceof Error ? error.message : error);
      process.exitCode = 1;
    })
    .finally(() => {
      for (const name of ['SIGINT', 'SIGTERM'] as const) process.off(name, onSignal);
    });
}

/** A whole number from a command line. */
export function parseCount(text: string, name: string, min: number, max: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= max) return value;
  throw new Error(`${name} must be a number from ${min} to ${max}; got '${text}'.`);
}
