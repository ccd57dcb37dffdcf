import { execFileSync } from 'node:child_process';

/** How a program reports: a line for each figure, with its name, nanoseconds, and of how many samples. */

function line(figure: string, ns: number, samples: number): void {
  console.log(`${figure} ${ns.toFixed(2)} ${samples}`);
}

/** The same definition as in bench/c/bench.h: the value at rank q * (length - 1), rounded down. */
export function quantile(samples: Float64Array, q: number): number {
  return Float64Array.from(samples).sort()[Math.floor(q * (samples.length - 1))] as number;
}

/** A figure that is no time, or not the median of anything. @param samples of how many it is */
export function reportValue(figure: string, value: number, samples: number): void {
  line(figure, value, samples);
}

/** @param operations what one sample covers */
export function reportMedian(figure: string, samples: Float64Array, operations = 1): void {
  line(figure, quantile(samples, 0.5), samples.length * operations);
}

export function reportLatency(figure: string, samples: Float64Array): void {
  line(`${figure}-p50`, quantile(samples, 0.5), samples.length);
  line(`${figure}-p99`, quantile(samples, 0.99), samples.length);
}

/** CLOCK_MONOTONIC in nanoseconds: exact for the first hundred days after a boot. */
export function now(): number {
  return Number(process.hrtime.bigint());
}

/** Waits without giving the processor away. */
export function spin(ns: number): void {
  const deadline = now() + ns;
  while (now() < deadline);
}

/** Runs the thread of JavaScript on one processor only, and what it spawns. */
export function stayOn(processor: number): void {
  execFileSync('taskset', ['-pc', String(processor), String(process.pid)]);
}
