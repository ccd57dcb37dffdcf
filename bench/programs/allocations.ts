/** What the heap grows by, and how often garbage is collected, while ten million packets are forwarded. */
import { PerformanceObserver } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { Arena, BufferPool, Burst, Forwarder } from 'vfio/kit';
import { ARRIVALS, ModelNic, TOUCHED } from './nic-model.js';
import { reportValue } from './report.js';

const PACKETS = 10_000_000;
const BATCH = 32;

const pool = new BufferPool(new Arena(16 << 20), { count: 2048 });
const { u8 } = pool.arena;
const nic = new ModelNic(pool);
const burst = new Burst(pool.arena, BATCH);
const forwarder = new Forwarder(nic.rx, nic.tx, [{ kind: 'add', at: TOUCHED, value: 1 }]);

function byBursts(): number {
  const { words } = burst;
  const n = nic.rx.burst(burst, BATCH);
  for (let i = 0; i < n; i++) {
    const at = (words[2 * i] as number) + TOUCHED;
    u8[at] = (u8[at] as number) + 1;
  }
  const sent = nic.tx.burst(burst, n);
  for (let i = sent; i < n; i++) pool.give(words[2 * i] as number);
  return n;
}

function forward(packets: number, once: () => number): void {
  for (let refills = 0; refills < packets / ARRIVALS; refills++) {
    nic.refill();
    while (once() > 0);
  }
}

async function measure(name: string, once: () => number): Promise<void> {
  let collections = 0;
  const observer = new PerformanceObserver(list => (collections += list.getEntries().length));
  forward(PACKETS / 2, once);
  await sleep(20);
  observer.observe({ entryTypes: ['gc'] });
  const before = process.memoryUsage().heapUsed;
  forward(PACKETS, once);
  const after = process.memoryUsage().heapUsed;
  // What was observed is told in a later turn.
  await sleep(20);
  observer.disconnect();
  reportValue(`${name}-bytes`, Math.max(0, after - before) / PACKETS, PACKETS);
  reportValue(`${name}-collections`, collections, PACKETS);
}

async function main(): Promise<void> {
  await measure('bursts', byBursts);
  await measure('pass', () => forwarder.forward(BATCH));
}

void main();
