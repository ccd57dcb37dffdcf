/** Threads with a queue each, and the traffic that the kernel makes for them. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { StopFlag } from 'vfio/kit';
import { type Igb } from '../../../examples/igb/igb.js';
import { workerEnd } from '../../support/worker-end.js';
import { type QueueWorkerData, type QueueWorkerReport } from './queue-worker.js';
import { queueFor } from './rss.js';
import { FAR_MS, payloadOf, type Wire } from './wire.js';

export const QUEUES = 4;
export const FIRST_PORT = 8000;
const FLOWS = 24;
/** On their way at a time: the rings of one queue have room for all of them, should its thread be slow. */
const WINDOW = 12;
const VARIANTS = 41;

/** A worker with a queue. */
export class QueueThread {
  readonly worker: Worker;
  private readonly flag = new StopFlag();
  private readonly ready: Promise<void>;
  /** What it reported at its end; rejects with what ended it before. */
  readonly ended: Promise<QueueWorkerReport | undefined>;

  constructor(data: Omit<QueueWorkerData, 'flag'>) {
    const workerData: QueueWorkerData = { ...data, flag: this.flag.buffer };
    this.worker = new Worker(path.join(__dirname, 'queue-worker.js'), { workerData });
    let report: QueueWorkerReport | undefined;
    let isReady = (): void => undefined;
    this.ready = new Promise(resolve => (isReady = resolve));
    this.worker.on('message', (message: QueueWorkerReport | 'ready') => {
      if (message === 'ready') isReady();
      else report = message;
    });
    this.ended = workerEnd(this.worker).then(() => report);
    this.ended.catch(() => undefined);
  }

  static async start(data: Omit<QueueWorkerData, 'flag'>): Promise<QueueThread> {
    const thread = new QueueThread(data);
    await Promise.race([thread.ready, thread.ended.then(() => assert.fail('it ended before it was ready'))]);
    return thread;
  }

  /** Has it end in an orderly way. */
  async stop(): Promise<QueueWorkerReport> {
    this.flag.stop();
    return (await this.ended) ?? assert.fail('it ended without a report');
  }
}

/** A thread for each queue of the NIC, of which one polls, one sleeps whenever it can, and the others do both. */
export function startThreads(
  nic: Igb,
  about: (index: number) => Pick<QueueWorkerData, 'task' | 'out' | 'into'>,
): Promise<QueueThread[]> {
  const loops = ['busy', 'interrupts', 'adaptive', 'adaptive'] as const;
  return Promise.all(
    nic.queues.map(({ index }) =>
      QueueThread.start({
        queue: nic.shareQueue(index),
        loop: loops[index] ?? 'adaptive',
        ...about(index),
      }),
    ),
  );
}

/** Whatever a test leaves running ends. */
export async function endThreads(threads: readonly QueueThread[]): Promise<void> {
  for (const { worker } of threads) await worker.terminate();
}

/** The payload of datagram `n`: its number, then what depends on it. */
export function numbered(n: number): Buffer {
  const payload = Buffer.from((variants[n % VARIANTS] ??= payloadOf(n % VARIANTS)));
  payload.writeUInt32BE(n);
  return payload;
}
const variants: Buffer[] = [];

/** Flows: ports of ours that the kernel sends to, of some queues or of all. */
export function flowsOf(wire: Wire, queues?: readonly number[]): number[] {
  const ports = Array.from({ length: FLOWS }, (_, i) => FIRST_PORT + i);
  for (let queue = 0; queue < QUEUES; queue++) {
    assert.ok(
      ports.some(port => queueFor(wire, port, QUEUES) === queue),
      `a flow for queue ${queue}`,
    );
  }
  return ports.filter(port => queues?.includes(queueFor(wire, port, QUEUES)) ?? true);
}

/**
 * Has the kernel send `count` datagrams over flows in turn and waits until all came back: each once, as it was, and in order
 * within its flow.
 */
export async function roundTrips(wire: Wire, flows: readonly number[], count: number): Promise<void> {
  const flowOf = (n: number): number => flows[n % flows.length] ?? 0;
  const next = new Map(flows.map((port, i) => [port, i]));
  let back = 0;
  let sent = 0;
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => end(new Error(`${back} of ${sent} came back`)), 4 * FAR_MS);
    const end = (error?: Error): void => {
      clearTimeout(timer);
      wire.socket.off('message', take);
      if (error === undefined) resolve();
      else reject(error);
    };
    const send = (): void => {
      for (; sent < count && sent - back < WINDOW; sent++) wire.send(numbered(sent), flowOf(sent));
    };
    const take = (message: Buffer, { port }: { port: number }): void => {
      const n = next.get(port);
      // Of a flow that is not looked at.
      if (n === undefined) return;
      next.set(port, n + flows.length);
      if (n >= count || !message.equals(numbered(n))) {
        end(new Error(`from port ${port} came ${message.readUInt32BE(0)}, not ${n} as it was`));
      } else if (++back === count) end();
      else send();
    };
    wire.socket.on('message', take);
    send();
  });
}
