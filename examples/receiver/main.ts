/**
 * Receives, and counts what comes by kind. It polls while there is traffic and sleeps while there is none.
 *
 *     node dist/examples/receiver/main.js 0000:03:00.0 [--count N] [--promiscuous] [--queues N]
 *
 * With --queues each of so many receive queues has a worker thread of its own, if the NIC has several: an 82576. The frames of a
 * connection stay in one queue, and so in order.
 *
 * Ends after N frames (with --queues as soon as they are counted), or by Ctrl-C, with a summary. The NIC is given back.
 */
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type NicStats } from 'vfio/kit';
import { formatMacAddress } from '../nic/mac.js';
import { openNic } from '../nic/open-nic.js';
import { openQueues, type QueuedNic } from '../nic/open-queues.js';
import { parseCount, runProgram } from '../nic/program.js';
import { runQueueThreads } from '../nic/queue-threads.js';
import { FrameCounters } from './counters.js';
import { type QueueCounts } from './queue-worker.js';
import { receive } from './receive.js';

/** How often the threads' numbers are looked at. */
const LOOK_MS = 20;

runProgram(async (args, signal) => {
  const options = {
    count: { type: 'string' },
    promiscuous: { type: 'boolean' },
    queues: { type: 'string' },
  } as const;
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  const [address, ...more] = positionals;
  if (address === undefined || more.length > 0) {
    throw new Error('usage: main.js PCI-ADDRESS [--count N] [--promiscuous] [--queues N]');
  }
  const wanted = values.count === undefined ? Infinity : parseCount(values.count, '--count', 1, 2 ** 32);
  const { promiscuous = false } = values;
  if (values.queues === undefined) {
    await using nic = await openNic(address, { promiscuous });
    await begin(nic, signal);
    const { counters, loop } = await receive(nic, wanted, signal);
    summary(counters, nic.stats(), loop.wakeups);
  } else {
    const queues = parseCount(values.queues, '--queues', 1, 16);
    await using nic = await openQueues(address, { queues, promiscuous });
    await begin(nic, signal);
    const counts = await receiveInThreads(nic, queues, wanted, signal);
    const counters = new FrameCounters();
    for (const [index, one] of counts.entries()) {
      const frames = counters.addAll(one);
      console.log(`queue ${index}: ${frames} frames, slept ${one.wakeups} times`);
    }
    const slept = counts.reduce((sum, { wakeups }) => sum + wakeups, 0);
    summary(counters, nic.stats(), slept);
  }
});

async function begin(
  nic: QueuedNic | Awaited<ReturnType<typeof openNic>>,
  signal: AbortSignal,
): Promise<void> {
  await nic.waitForLink({ signal });
  console.log(`${nic.name} ${formatMacAddress(nic.mac)}: receiving`);
}

async function receiveInThreads(
  nic: QueuedNic,
  queues: number,
  wanted: number,
  signal: AbortSignal,
): Promise<QueueCounts[]> {
  const enough = new AbortController();
  const ending = AbortSignal.any([signal, enough.signal]);
  // The threads count in memory that is seen here.
  const watch = async (): Promise<void> => {
    while (!ending.aborted && nic.stats().rxFrames < wanted) await sleep(LOOK_MS);
    enough.abort();
  };
  const counting = runQueueThreads<QueueCounts>(
    nic,
    path.join(__dirname, 'queue-worker.js'),
    { queues, signal: ending },
    () => undefined,
  ).finally(() => enough.abort());
  const [counts] = await Promise.all([counting, wanted === Infinity ? undefined : watch()]);
  return counts;
}

function summary(counters: FrameCounters, { rxErrors, rxMissed }: NicStats, slept: number): void {
  console.log(counters.toString());
  console.log(`${counters.totalFrames} frames, ${rxErrors} errors, ${rxMissed} missed; slept ${slept} times`);
}
