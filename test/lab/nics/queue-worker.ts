/** A thread that has one queue of a NIC: what queues.test.ts starts. */
import { parentPort, workerData } from 'node:worker_threads';
import {
  Burst,
  busyPoll,
  type Lane,
  LaneReceiver,
  LaneSender,
  type NicStats,
  RxLoop,
  StopFlag,
  withLanes,
} from 'vfio/kit';
import { QueueNic, type SharedQueue } from '../../../examples/igb/shared-queue.js';
import { swapEnds, udpOf } from './echo.js';
import { FAR_MS, type Received } from './wire.js';

export interface QueueWorkerData {
  readonly queue: SharedQueue;
  /** What it does with frames: keeps what is in them; sends them back; has another queue's thread send them back. */
  readonly task: 'keep' | 'echo' | 'relay';
  /** How it waits for them. */
  readonly loop: 'busy' | 'interrupts' | 'adaptive';
  /** Of a {@link StopFlag}: ends it in an orderly way. */
  readonly flag: SharedArrayBuffer;
  /** To the thread of the queue named, and from another one. */
  readonly out?: { readonly lane: Lane; readonly queue: number };
  readonly into?: Lane;
}

/** What it says at its end. */
export interface QueueWorkerReport {
  readonly received: readonly Received[];
  readonly wakeups: number;
  /** Frames that came by the lane, and sent by the queue; those sent ones dropped for want of room. */
  readonly relayed: number;
  readonly dropped: number;
  /** What its NIC says it is, and has counted. */
  readonly nic: Pick<QueueNic, 'name' | 'index' | 'mac'>;
  readonly stats: NicStats;
}

const BURST = 16;
const { queue, task, loop: kind, flag: buffer, out, into } = workerData as QueueWorkerData;
const nic = QueueNic.adopt(queue);
const { pool } = nic;
const burst = new Burst(pool.arena, BURST);
const sender = out && new LaneSender(pool, out.lane, () => nic.wake(out.queue));
const receiver = into && new LaneReceiver(pool, into);
const received: Received[] = [];
let relayed = 0;
let dropped = 0;

/** Hands `count` frames of the burst on; those that nobody takes go back to the pool. */
function pass(count: number, taken: number): void {
  for (let i = taken; i < count; i++) pool.give(burst.handle(i));
  dropped += count - taken;
}

function keep(count: number): void {
  for (let i = 0; i < count; i++) {
    const datagram = udpOf(pool.bytes(burst.handle(i)).subarray(0, burst.length(i)));
    if (datagram !== undefined) received.push(datagram);
    pool.give(burst.handle(i));
  }
}

function echo(count: number): void {
  for (let i = 0; i < count; i++) swapEnds(pool.arena.u8, burst.handle(i));
  pass(count, nic.txBurst(burst, count));
}

function work(): number {
  // Buffers may have come home, and the last ones are only owed.
  sender?.collect();
  const count = nic.rxBurst(burst);
  if (task === 'keep') keep(count);
  else if (sender === undefined) echo(count);
  else pass(count, sender.send(burst, count));
  const more = receiver?.receive(burst) ?? 0;
  if (more > 0) echo(more);
  relayed += more;
  return count + more;
}

async function main(): Promise<void> {
  const flag = new StopFlag(buffer);
  const say = (message: QueueWorkerReport | 'ready'): void => parentPort?.postMessage(message);
  const { up } = await nic.waitForLink({ timeoutMs: FAR_MS });
  if (!up) throw new Error('the link is down');
  say('ready');
  let wakeups = 0;
  if (kind === 'busy') busyPoll(flag, work);
  else {
    const stop = new AbortController();
    const look = setInterval(() => {
      if (flag.stopped) stop.abort();
    }, 20);
    const source = receiver === undefined ? nic : withLanes(nic, [receiver]);
    const loop = new RxLoop(source, work, { idlePolls: kind === 'interrupts' ? 0 : 64 });
    await loop.run(stop.signal);
    clearInterval(look);
    wakeups = loop.wakeups;
  }
  sender?.collect();
  const { name, index, mac } = nic;
  const stats = nic.stats();
  await nic.close();
  say({ received, wakeups, relayed, dropped, nic: { name, index, mac }, stats });
}

void main();
