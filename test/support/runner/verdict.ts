import { storeResults } from '../../../lab/uapi/results.js';

/** Leaves word, for the end of continuous integration, of a command that is one check by itself. */
export function storeVerdict(
  command: string,
  title: string,
  passed: boolean,
  milliseconds: number,
  place = '',
): void {
  const outcome = passed
    ? { title, state: 'passed' as const }
    : { title, state: 'failed' as const, detail: `npm run ${command} says what went wrong` };
  storeResults([{ name: `${command}${place}`, outcomes: [outcome], seconds: milliseconds / 1000 }]);
}
