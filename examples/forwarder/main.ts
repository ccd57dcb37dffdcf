/**
 * Forwards between two ports, or sends datagrams back to their sender with one.
 *
 *     node dist/examples/forwarder/main.js 0000:03:00.0 0000:04:00.0 [--busy]
 *     node dist/examples/forwarder/main.js 0000:03:00.0 --echo [--busy] [--queues N]
 *
 * With --queues each of so many queues has a worker thread of its own, if the NIC has several: an 82576. With --busy a worker
 * thread polls without ever sleeping, otherwise interrupts wake the process while there is little to do.
 * Ends by Ctrl-C, with a summary; the NICs are given back.
 */
import { once } from 'node:events';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { StopFlag } from 'vfio/kit';
import { openQueues } from '../nic/open-queues.js';
import { parseCount, runProgram } from '../nic/program.js';
import { runQueueThreads } from '../nic/queue-threads.js';
import type { BusyWorkerData, BusyWorkerMessage } from './busy-worker.js';
import { Ports } from './ports.js';

type Forwarded = readonly [number, number];

runProgram(async (args, signal) => {
  const options = {
    echo: { type: 'boolean' },
    busy: { type: 'boolean' },
    queues: { type: 'string' },
  } as const;
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  const { echo = false, busy = false } = values;
  if (positionals.length !== (echo ? 1 : 2) || (values.queues !== undefined && !echo)) {
    throw new Error(
      'usage: main.js PCI-ADDRESS PCI-ADDRESS [--busy], or main.js PCI-ADDRESS --echo [--busy] [--queues N]',
    );
  }
  const [one = '', two] = positionals;
  const started = (): void =>
    console.log(`forwarding ${one} ${two === undefined ? 'back to where it comes from' : `<-> ${two}`}`);
  if (values.queues !== undefined) {
    const queues = parseCount(values.queues, '--queues', 1, 16);
    const counts = await forwardInThreads(one, { queues, busy, signal }, started);
    for (const [index, count] of counts.entries()) console.log(`queue ${index}: ${count} frames`);
    console.log(`${counts.reduce((sum, count) => sum + count, 0)} frames forwarded from ${one}`);
    return;
  }
  const forward = busy ? forwardInWorker : forwardOnLoop;
  const [there, back] = await forward(positionals, signal, started);
  console.log(`${there} frames forwarded from ${one}${two === undefined ? '' : `, ${back} from ${two}`}`);
});

async function forwardOnLoop(
  addresses: readonly string[],
  signal: AbortSignal,
  started: () => void,
): Promise<Forwarded> {
  await using ports = await Ports.open(addresses, signal);
  started();
  await ports.forwarder.run(signal);
  return ports.forwarder.forwarded;
}

async function forwardInThreads(
  address: string,
  how: { queues: number; busy: boolean; signal: AbortSignal },
  started: () => void,
): Promise<number[]> {
  await using nic = await openQueues(address, { queues: how.queues });
  await nic.waitForLink({ signal: how.signal });
  return await runQueueThreads(nic, path.join(__dirname, 'queue-worker.js'), how, started);
}

async function forwardInWorker(
  addresses: readonly string[],
  signal: AbortSignal,
  started: () => void,
): Promise<Forwarded> {
  const flag = new StopFlag();
  const stop = (): void => flag.stop();
  signal.addEventListener('abort', stop);
  const data: BusyWorkerData = { addresses, flag: flag.buffer };
  const worker = new Worker(path.join(__dirname, 'busy-worker.js'), { workerData: data });
  let forwarded: Forwarded = [0, 0];
  worker.on('message', (message: BusyWorkerMessage) => {
    if (message === 'forwarding') started();
    else forwarded = message.forwarded;
  });
  await once(worker, 'exit');
  signal.removeEventListener('abort', stop);
  return forwarded;
}
