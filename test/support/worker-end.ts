import type { Worker } from 'node:worker_threads';

/**
 * The exit code of a worker when it has ended, with all that was its own closed; rejects then with what it threw. Its
 * `'error'` alone comes earlier.
 */
export function workerEnd(worker: Worker): Promise<number> {
  return new Promise((resolve, reject) => {
    let fail: (() => void) | undefined;
    worker.once('error', error => {
      fail = () => reject(error);
    });
    worker.once('exit', code => (fail === undefined ? resolve(code) : fail()));
  });
}
