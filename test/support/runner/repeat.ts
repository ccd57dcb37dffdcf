import type { Outcome } from '../records.js';
import type { Selection } from './mocha.js';

/** A stage in which more suites than this have failed is broken, not unsteady. */
const most = 3;

/**
 * Repeats once, in a process and on a machine that are new, the suites in which a test failed. Emulated machines that share
 * two processors with others run late by seconds; what fails by that passes when it has a machine for itself, and what is
 * broken fails again.
 *
 * Nothing is hidden: a test that passes only then counts as passed and keeps how it failed before
 * ({@link Outcome.failedFirst}), which the end of every run shows. All else stays as it was: what fails again, more
 * than a few failures, a process that died or did not end.
 *
 * @param run runs a selection of tests
 * @param say gets what is repeated
 */
export async function repeatFailed(
  first: Outcome[],
  selection: Selection,
  run: (selection: Selection) => Promise<Outcome[]>,
  say: (text: string) => void,
): Promise<Outcome[]> {
  const failed = first.filter(({ state }) => state === 'failed');
  const suites = [...new Set(failed.map(suiteOf))];
  const few = suites.length > 0 && suites.length <= most;
  if (!few || failed.some(({ ofProcess }) => ofProcess) || selection.grep !== undefined) return first;
  say(`\nFailed, and now repeated on their own: ${suites.join('; ')}\n`);
  const patterns = suites.map(suite => suite.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const second = await run({ ...selection, grep: `^(${patterns.join('|')}) ` });
  return suites.reduce((outcomes, suite) => {
    const of = (all: Outcome[]): Outcome[] => all.filter(outcome => suiteOf(outcome) === suite);
    const again = of(second);
    const passed = again.length > 0 && again.every(({ state }) => state !== 'failed');
    return passed
      ? [...outcomes.filter(one => !of(outcomes).includes(one)), ...marked(again, of(failed))]
      : outcomes;
  }, first);
}

/** What came out the second time, with what had failed the first time. */
function marked(again: readonly Outcome[], failed: readonly Outcome[]): Outcome[] {
  const rest = failed.filter(({ title }) => !again.some(one => one.title === title));
  return again.map((outcome, i) => {
    // A hook is no test; its failure goes to the first of its suite.
    const before = [...failed.filter(one => one.title === outcome.title), ...(i === 0 ? rest : [])];
    if (before.length === 0) return outcome;
    return { ...outcome, failedFirst: before.map(({ title, detail }) => `${title}: ${detail}`).join('\n') };
  });
}

function suiteOf({ title }: Outcome): string {
  return title.split(' > ', 1)[0] ?? title;
}
