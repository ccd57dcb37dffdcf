import { instanceOf, typeError } from '../../validate';
import { StopFlag } from './stop-flag';

/** How often work is done between two looks at the flag. */
const POLLS = 64;

/** What a busy loop did. */
export interface BusyPollResult {
  /** How often work was asked for. */
  polls: number;
  /** How often there was none. */
  idle: number;
  /** The sum of what work returned. */
  done: number;
}

/**
 * Asks for work for ever, in a worker thread of its own, until the flag is set by another thread. The thread does nothing
 * else meanwhile: no timers, no messages, no promises. It is the way to the lowest latency, at the price of a processor.
 *
 * @param work does what there is to do without waiting and returns how much that was: a burst received and answered
 */
export function busyPoll(flag: StopFlag, work: () => number): BusyPollResult {
  instanceOf(flag, StopFlag, 'flag');
  if (typeof work !== 'function') throw typeError('work', 'a function', work);
  const result = { polls: 0, idle: 0, done: 0 };
  while (!flag.stopped) {
    let idle = 0;
    let done = 0;
    for (let i = 0; i < POLLS; i++) {
      const count = work();
      done += count;
      if (count === 0) idle++;
    }
    result.polls += POLLS;
    result.idle += idle;
    result.done += done;
  }
  return result;
}
