/** A worker thread for each queue of a NIC, from the side of the thread that opened it; theirs is queue-thread.ts. */
import { Worker } from 'node:worker_threads';
import { StopFlag } from 'vfio/kit';
import { type QueuedNic, type SharedQueue } from './open-queues.js';

/** What a thread is started with. */
export interface QueueThreadData {
  readonly queue: SharedQueue;
  /** Of a {@link StopFlag}, which those look at that never wait. The others get a message. */
  readonly flag: SharedArrayBuffer;
  /** Whether it polls and never waits. */
  readonly busy: boolean;
}

/** What a thread says: that it works, and at its end what came of it. */
export type QueueThreadMessage<Result> = 'working' | { readonly result: Result };

/**
 * Runs a script in a thread for each of so many queues until `signal` is aborted, or one of them fails: then all end.
 *
 * @param started called when all of them work
 * @returns what each of them returned, in the order of the queues
 */
export async function runQueueThreads<Result>(
  nic: QueuedNic,
  script: string,
  { queues, busy = false, signal }: { queues: number; busy?: boolean; signal: AbortSignal },
  started: () => void,
): Promise<Result[]> {
  const flag = new StopFlag();
  const workers: Worker[] = [];
  const stop = (): void => {
    flag.stop();
    for (const worker of workers) worker.postMessage('stop');
  };
  let idle = queues;
  const run = (index: number): Promise<Result> =>
    new Promise((resolve, reject) => {
      const queue = nic.shareQueue(index);
      const workerData: QueueThreadData = { queue, flag: flag.buffer, busy };
      const worker = new Worker(script, { workerData });
      workers.push(worker);
      let result: Result | undefined;
      worker.on('message', (message: QueueThreadMessage<Result>) => {
        if (message !== 'working') ({ result } = message);
        else if (--idle === 0) started();
      });
      let failure = new Error(`The thread of queue ${index} ended early.`);
      worker.once('error', (error: Error) => {
        failure = error;
      });
      // Not before: until then it may use what is its own of the NIC.
      worker.once('exit', () => {
        if (result === undefined) reject(failure);
        else resolve(result);
      });
    });
  const running = Array.from({ length: queues }, (_, index) => run(index).finally(stop));
  signal.addEventListener('abort', stop);
  try {
    if (signal.aborted) stop();
    // All of them, so that none is left when the NIC is closed.
    const ended = await Promise.allSettled(running);
    const failed = ended.find(({ status }) => status === 'rejected');
    if (failed !== undefined) throw (failed as PromiseRejectedResult).reason;
    return await Promise.all(running);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
