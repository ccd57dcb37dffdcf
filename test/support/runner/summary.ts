import type { Outcome } from '../records.js';
import { indent } from '../error-text.js';
import { count, countText, type StageResult } from './stage.js';

/** The end of a run: the table, what was skipped and why, what failed, and as the last line the counts. */
export function summary(results: readonly StageResult[], wallSeconds: number): string {
  const all = results.flatMap(result => result.outcomes);
  const rows = [
    ['stage', 'passed', 'failed', 'skipped', 'seconds'],
    ...results.map(({ name, outcomes, seconds }) => row(name, outcomes, seconds)),
    row('in all', all, wallSeconds),
  ];
  const sections = [
    table(rows),
    section('Skipped', results, 'skipped'),
    unsteady(results),
    section('Failed', results, 'failed'),
  ];
  return `\n${sections.filter(text => text !== '').join('\n')}\n${countText(all)}\n`;
}

function row(name: string, outcomes: readonly Outcome[], seconds: number): string[] {
  const of = (state: Outcome['state']): string => String(count(outcomes, state));
  return [name, of('passed'), of('failed'), of('skipped'), seconds.toFixed(1)];
}

/** Columns of equal width: the first to the left, the others to the right. */
export function table(rows: readonly string[][]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map(cells => cells[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('  ');
  return rows.map(cells => `${line(cells)}\n`).join('');
}

/** What came out one way, numbered, with all that is known about it. */
export function section(title: string, results: readonly StageResult[], state: Outcome['state']): string {
  return numbered(title, results, outcome => (outcome.state === state ? (outcome.detail ?? '') : undefined));
}

/** What passed only when it was repeated, with how it failed before. */
export function unsteady(results: readonly StageResult[]): string {
  return numbered('Passed only when repeated', results, outcome => outcome.failedFirst);
}

function numbered(
  title: string,
  results: readonly StageResult[],
  detailOf: (outcome: Outcome) => string | undefined,
): string {
  const entries = results.flatMap(({ name, outcomes }) =>
    outcomes.flatMap(outcome => {
      const detail = detailOf(outcome);
      return detail === undefined ? [] : [{ title: `${name}: ${outcome.title}`, detail }];
    }),
  );
  if (entries.length === 0) return '';
  const texts = entries.map(({ title: what, detail }, i) => {
    const separator = detail.includes('\n') ? `\n${indent(detail, '     ')}\n` : `: ${detail}`;
    return `  ${i + 1}) ${what}${separator}\n`;
  });
  return `${title}:\n${texts.join('')}`;
}
