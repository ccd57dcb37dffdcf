import type { Unit } from './benchmark.js';
import type { Result } from './measure.js';
import type { Summary } from './statistics.js';

const headings = ['', 'vfio', '', 'reference', '', 'ratio', 'goal', 'samples'];
/** Numbers line up at their ends, words at their beginnings. */
const toTheRight = [false, true, false, true, false, true, false, true];

/** The figures as a table for people: medians over the rounds, with the least and the greatest round in brackets. */
export function formatTable(results: readonly Result[]): string {
  const rows = results.map(({ label, unit, ours, reference, ratio, goal = '' }) => [
    label,
    formatValue(ours.median, unit),
    formatSpread(ours, unit),
    reference === undefined ? '' : `${reference.program} ${formatValue(reference.median, unit)}`,
    reference === undefined ? '' : formatSpread(reference, unit),
    ratio === undefined ? '' : `${ratio.median.toFixed(2)} (${ratio.min.toFixed(2)}-${ratio.max.toFixed(2)})`,
    goal,
    String(ours.samplesPerRound),
  ]);
  return alignColumns([headings, ...rows]);
}

function alignColumns(rows: readonly (readonly string[])[]): string {
  const widths = headings.map((_, column) => Math.max(...rows.map(row => row[column]?.length ?? 0)));
  const lines = rows.map(row =>
    row
      .map((cell, column) =>
        toTheRight[column] === true ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
  return lines.map(line => `${line}\n`).join('');
}

/** Three digits, and the unit that needs no more than four before the point. */
export function formatTime(ns: number): string {
  const units = ['ns', 'µs', 'ms', 's'];
  let value = ns;
  let unit = 0;
  while (value >= 9999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value >= 99.95 ? value.toFixed(0) : value.toFixed(1)} ${units[unit] ?? ''}`;
}

function formatValue(value: number, unit: Unit): string {
  if (unit === 'ns') return formatTime(value);
  if (unit === 'instructions') return `${value.toFixed(1)} instr`;
  return unit === 'times' ? String(value) : `${value.toFixed(value < 10 ? 2 : 0)} B`;
}

function formatSpread({ min, max }: Summary, unit: Unit): string {
  return `(${formatValue(min, unit)} - ${formatValue(max, unit)})`;
}
