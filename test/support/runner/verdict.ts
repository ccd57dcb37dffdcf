import { storeResults } from '../../../lab/uapi/results.js';

/** Leaves word, for the end of continuous integration, of a command that is one check by itself. */
export function storeVerdict(name: string, title: string, passed: boolean, milliseconds: number): void {
  const outcome = passed
    ? { title, state: 'passed' as const }
    : { title, state: 'failed' as const, detail: `npm run ${name} says what went wrong` };
  storeResults([{ name, outcomes: [outcome], seconds: milliseconds / 1000 }]);
}
