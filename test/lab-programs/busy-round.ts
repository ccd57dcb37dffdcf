/** A worker that forwards between two ports and does nothing else, until its parent stops it. */
import { parentPort, workerData } from 'node:worker_threads';
import { busyPoll, StopFlag } from 'vfio/kit';
import { goRound } from './go-round.js';

void goRound((forwarder, isEnough) => {
  let said = false;
  busyPoll(new StopFlag(workerData as SharedArrayBuffer), () => {
    if (!said && isEnough()) {
      said = true;
      parentPort?.postMessage('enough');
    }
    return forwarder.once();
  });
  return Promise.resolve();
});
