/** A worker thread that has one queue of a NIC: what the scripts of {@link runQueueThreads} are made of. */
import { parentPort, workerData } from 'node:worker_threads';
import { type Nic, StopFlag } from 'vfio/kit';
import { adoptQueue } from './open-queues.js';
import { type QueueThreadData, type QueueThreadMessage } from './queue-threads.js';

/** How a thread works, and learns that it shall end: by the flag if it never waits, by the signal otherwise. */
export interface Working {
  readonly busy: boolean;
  readonly flag: StopFlag;
  readonly signal: AbortSignal;
}

/** Does the work of this thread on its queue, until that ends, and hands the queue back. */
export function runQueueThread<Result>(work: (nic: Nic, how: Working) => Result | Promise<Result>): void {
  const { queue, flag, busy } = workerData as QueueThreadData;
  const say = (message: QueueThreadMessage<Result>): void => parentPort?.postMessage(message);
  const main = async (): Promise<void> => {
    const stop = new AbortController();
    parentPort?.once('message', () => stop.abort());
    try {
      await using nic = adoptQueue(queue);
      say('working');
      say({ result: await work(nic, { busy, flag: new StopFlag(flag), signal: stop.signal }) });
    } finally {
      parentPort?.close();
    }
  };
  // Without an answer, an error ends the thread with it.
  void main();
}
