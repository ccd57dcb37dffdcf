import { PassThrough, type Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { errorText } from '../error-text.js';
import type { Outcome } from '../records.js';

/** A part of the run that stands for itself. */
export interface Stage {
  name: string;
  run(output: Writable): Promise<Outcome[]>;
}

export interface StageResult {
  name: string;
  outcomes: readonly Outcome[];
  seconds: number;
}

/**
 * Runs the stages in their order, some at a time: a virtual machine waits for input and output often enough to leave a
 * processor for others. Each stage's output is shown in one piece when it is over; that of a single stage as it comes. A
 * stage that fails stops none of the others.
 *
 * @param atOnce how many at a time
 */
export async function runStages(
  stages: readonly Stage[],
  output: Writable,
  atOnce = 2,
): Promise<StageResult[]> {
  const results: StageResult[] = [];
  const queue = stages.entries();
  const lane = async (): Promise<void> => {
    for (const [i, stage] of queue) results[i] = await runStage(stage, output, stages.length === 1);
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return results;
}

async function runStage(stage: Stage, output: Writable, live: boolean): Promise<StageResult> {
  output.write(`test: ${stage.name} ...\n`);
  const start = performance.now();
  const own = new PassThrough();
  const shown = live ? own.pipe(output, { end: false }) : text(own);
  const outcomes = await stage
    .run(own)
    .catch((error: unknown): Outcome[] => [{ title: stage.name, state: 'failed', detail: errorText(error) }]);
  own.end();
  const seconds = (performance.now() - start) / 1000;
  if (shown instanceof Promise) output.write(await shown);
  output.write(`test: ${stage.name}: ${countText(outcomes)}, ${seconds.toFixed(1)} s\n`);
  return { name: stage.name, outcomes, seconds };
}

export function count(outcomes: readonly Outcome[], state: Outcome['state']): number {
  return outcomes.filter(outcome => outcome.state === state).length;
}

export function countText(outcomes: readonly Outcome[]): string {
  const of = (state: Outcome['state']): string => `${count(outcomes, state)} ${state}`;
  return `${of('passed')}, ${of('failed')}, ${of('skipped')}`;
}
