import { abortSignal, boolean, integer, options as checkOptions } from '../validate';

/** Options of waiting for a vector. */
export interface WaitOptions {
  /** Milliseconds; default for ever. */
  timeoutMs?: number;
  /** Ends the wait with an `AbortError`. */
  signal?: AbortSignal;
}

/** The longest time Node's timers and poll(2) take. */
const maxTimeout = 2 ** 31 - 1;

/** Those options, checked. */
export function readWait(options: WaitOptions | undefined): {
  timeoutMs: number | undefined;
  signal: AbortSignal | undefined;
} {
  const { timeoutMs, signal } = checkOptions(options, 'options', ['timeoutMs', 'signal']);
  return {
    timeoutMs: readTimeout(timeoutMs, 'options.timeoutMs'),
    signal: abortSignal(signal, 'options.signal'),
  };
}

export function readTimeout(timeoutMs: number | undefined, name: string): number | undefined {
  return timeoutMs === undefined ? undefined : integer(timeoutMs, name, 0, maxTimeout);
}

/** The option of enabling interrupts, checked. */
export function readCounts(counts: boolean | undefined): boolean {
  return counts === undefined || boolean(counts, 'options.counts');
}
