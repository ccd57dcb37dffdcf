import type { Outcome } from '../records.js';
import { count, countText, type StageResult } from './stage.js';
import { section, table, unsteady } from './summary.js';

/**
 * The end of a long run: the table, how often which reason skipped tests, what passed only when repeated, what failed, and
 * as the last line the counts.
 * Naming each skipped test would be a line for every test of every machine that lacks something.
 */
export function overview(results: readonly StageResult[], wallSeconds: number): string {
  const all = results.flatMap(result => result.outcomes);
  const rows = [
    ['stage', 'passed', 'failed', 'skipped', 'seconds'],
    ...results.map(({ name, outcomes, seconds }) => row(name, outcomes, seconds)),
    row('in all', all, wallSeconds),
  ];
  const parts = [table(rows), skipped(all), unsteady(results), section('Failed', results, 'failed')];
  return `\n${parts.filter(text => text !== '').join('\n')}\n${countText(all)}\n`;
}

function row(name: string, outcomes: readonly Outcome[], seconds: number): string[] {
  const of = (state: Outcome['state']): string => String(count(outcomes, state));
  return [name, of('passed'), of('failed'), of('skipped'), seconds.toFixed(1)];
}

function skipped(all: readonly Outcome[]): string {
  const reasons = new Map<string, number>();
  for (const { state, detail = 'no reason' } of all) {
    if (state === 'skipped') reasons.set(detail, (reasons.get(detail) ?? 0) + 1);
  }
  if (reasons.size === 0) return '';
  const lines = [...reasons]
    .sort(([, a], [, b]) => b - a)
    .map(([reason, times]) => `  ${times}: ${reason}\n`);
  return `Skipped, by reason:\n${lines.join('')}`;
}
