/** Counts what one queue of a NIC receives, in a thread of its own. */
import { runQueueThread } from '../nic/queue-thread.js';
import { type FrameCounters } from './counters.js';
import { receive } from './receive.js';

/** What it counted, as plain data. */
export interface QueueCounts extends Pick<FrameCounters, 'frames' | 'bytes'> {
  readonly wakeups: number;
}

runQueueThread(async (nic, { signal }): Promise<QueueCounts> => {
  const { counters, loop } = await receive(nic, Infinity, signal);
  return { frames: counters.frames, bytes: counters.bytes, wakeups: loop.wakeups };
});
