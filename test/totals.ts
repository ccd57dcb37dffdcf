/**
 * The end of continuous integration: the results that the commands before it left, in one table, and as the last line
 * their counts. Its arguments are the commands that failed; one that left no word of why counts as one failure.
 */
import { loadResults } from '../lab/uapi/results.js';
import { overview } from './support/runner/overview.js';
import { count } from './support/runner/stage.js';

const stages = loadResults();
const failed = stages.reduce((sum, stage) => sum + count(stage.outcomes, 'failed'), 0);
const commands = failed > 0 ? [] : process.argv.slice(2);
const seconds = stages.reduce((sum, stage) => sum + stage.seconds, 0);
const silent = commands.map(title => ({
  title,
  state: 'failed' as const,
  detail: 'it failed before any test',
}));
const results =
  silent.length === 0 ? stages : [...stages, { name: 'commands', outcomes: silent, seconds: 0 }];
process.stdout.write(overview(results, seconds));
process.exitCode = failed + commands.length > 0 ? 1 : 0;
