/** Sends back what one queue of a NIC receives, in a thread of its own. */
import { busyPoll } from 'vfio/kit';
import { runQueueThread } from '../nic/queue-thread.js';
import { echoEdits, L2Forwarder } from './l2-forwarder.js';

runQueueThread(async (nic, { busy, flag, signal }): Promise<number> => {
  const forwarder = new L2Forwarder(nic, nic, echoEdits);
  if (busy) busyPoll(flag, () => forwarder.once());
  else await forwarder.run(signal);
  return forwarder.forwarded[0];
});
