/** The demo as a program: command line, signals, exit code. What it does is in demonstrate.ts. */
import { type DemoOptions, parseArguments, USAGE, UsageError } from './arguments.js';
import { demonstrate } from './demonstrate.js';
import { describe, type Report, shortcomings } from './report.js';

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** Runs the demo with a command line and returns the exit code: 0 only when everything was as it has to be. */
export async function runDemo(argv: readonly string[]): Promise<number> {
  let options: DemoOptions | 'help';
  try {
    options = parseArguments(argv);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`demo: ${error.message}\n\n${USAGE}`);
    return 2;
  }
  if (options === 'help') {
    console.log(USAGE);
    return 0;
  }

  const stop = new AbortController();
  let endedBy: keyof typeof EXIT_CODES | undefined;
  const onSignal = (name: NodeJS.Signals): void => {
    endedBy = name as keyof typeof EXIT_CODES;
    stop.abort();
  };
  for (const name of Object.keys(EXIT_CODES)) process.on(name, onSignal);
  try {
    return finish(await demonstrate(options, stop.signal));
  } catch (error) {
    // Anything else went wrong on the way out, or has nothing to do with the signal.
    if (endedBy !== undefined && error instanceof Error && error.name === 'AbortError') {
      console.error(`demo: ended by ${endedBy}, everything given back.`);
      return EXIT_CODES[endedBy];
    }
    console.error(`demo: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  } finally {
    for (const name of Object.keys(EXIT_CODES)) process.off(name, onSignal);
  }
}

function finish(report: Report): number {
  const found = shortcomings(report);
  console.log(describe(report));
  for (const sentence of found) console.error(`demo: ${sentence}`);
  console.log(found.length === 0 ? 'The demo succeeded.' : 'The demo failed.');
  return found.length === 0 ? 0 : 1;
}
