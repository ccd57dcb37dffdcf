/** A ring forwarder on a simulated NIC, with the driver kit; compare bench/c/forwarder.c. */
import { Arena, BufferPool, Burst, Forwarder } from 'vfio/kit';
import { ARRIVALS, ModelNic, REFILLS, SAMPLES, TOUCHED, WARM_UP } from './nic-model.js';
import { now, reportMedian } from './report.js';

const [kind = '', ports = '1', ...batches] = process.argv.slice(2);
const count = Number(ports);
const arena = new Arena(64 << 20);
const pool = new BufferPool(arena, { count: 2048 * count });
const burst = new Burst(arena, 256);
const nics = Array.from({ length: count }, () => new ModelNic(pool));
if (kind.includes('detached')) structuredClone(new ArrayBuffer(8), { transfer: [new ArrayBuffer(8)] });

/** What drivers look like: a burst received, each frame touched in TypeScript, a burst sent. */
function forward(nic: ModelNic, batch: number): number {
  const { words } = burst;
  const { u8 } = arena;
  const n = nic.rx.burst(burst, batch);
  for (let i = 0; i < n; i++) {
    const at = (words[2 * i] as number) + TOUCHED;
    u8[at] = (u8[at] as number) + 1;
  }
  const sent = n > 0 ? nic.tx.burst(burst, n) : 0;
  for (let i = sent; i < n; i++) pool.give(words[2 * i] as number);
  return n;
}

function forwardByBursts(batch: number): void {
  let n;
  do {
    n = 0;
    for (const nic of nics) n += forward(nic, batch);
  } while (n > 0);
}

const edits = [{ kind: 'add', at: TOUCHED, value: 1 }] as const;
const forwarders = nics.map(({ rx, tx }) => new Forwarder(rx, tx, edits));

function forwardInOnePass(batch: number): void {
  let n;
  do {
    n = 0;
    for (const forwarder of forwarders) n += forwarder.forward(batch);
  } while (n > 0);
}

const forwardAll = kind.startsWith('fused') ? forwardInOnePass : forwardByBursts;

function measure(batch: number): void {
  const samples = new Float64Array(SAMPLES);
  for (let s = -WARM_UP; s < SAMPLES; s++) {
    const begin = now();
    for (let r = 0; r < REFILLS; r++) {
      for (const nic of nics) nic.refill();
      forwardAll(batch);
    }
    const middle = now();
    for (const nic of nics) nic.idle(REFILLS);
    const end = now();
    for (const nic of nics) nic.settle();
    if (s >= 0) samples[s] = (middle - begin - (end - middle)) / (REFILLS * ARRIVALS * count);
  }
  reportMedian(`batch-${batch}`, samples);
}

for (const batch of batches) measure(Number(batch));
const expected = batches.length * (WARM_UP + SAMPLES) * REFILLS * ARRIVALS * count;
const sent = nics.reduce((sum, nic) => sum + nic.sent, 0);
if (sent !== expected) throw new Error(`${sent} of ${expected} packets were forwarded`);
