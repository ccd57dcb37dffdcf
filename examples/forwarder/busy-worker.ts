/**
 * Forwards in a worker thread that does nothing else: no interrupts, no event loop, a processor of its own. The NICs are
 * opened here, as everything of a device belongs to the thread that opened it.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { busyPoll, StopFlag } from 'vfio/kit';
import { Ports } from './ports.js';

/** What the worker is started with. */
export interface BusyWorkerData {
  readonly addresses: readonly string[];
  /** Of a {@link StopFlag}. */
  readonly flag: SharedArrayBuffer;
}

/** What it says: first that it is forwarding, at last how many frames it forwarded from each port. */
export type BusyWorkerMessage = 'forwarding' | { readonly forwarded: readonly [number, number] };

async function main({ addresses, flag }: BusyWorkerData): Promise<void> {
  const say = (message: BusyWorkerMessage): void => parentPort?.postMessage(message);
  await using ports = await Ports.open(addresses, new AbortController().signal);
  const { forwarder } = ports;
  say('forwarding');
  busyPoll(new StopFlag(flag), () => forwarder.once());
  say({ forwarded: forwarder.forwarded });
}

// Without an answer, an error ends the worker with it.
void main(workerData as BusyWorkerData);
