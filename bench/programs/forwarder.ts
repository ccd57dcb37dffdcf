/**
 * A ring forwarder on a simulated NIC, with the driver kit; compare bench/c/forwarder.c.
 *
 *     forwarder.js bursts|pass PORTS DETACH BATCH...
 *
 * `bursts` is what drivers look like: a burst received, each frame touched in TypeScript, a burst sent. `pass` is the kit's
 * Forwarder, which does all of it in one compiled pass. With DETACH 1 an ArrayBuffer is detached first, which slows every
 * typed array of the process down for good.
 */
import { Arena, BufferPool, Burst, Forwarder } from 'vfio/kit';
import { ARRIVALS, ModelNic, REFILLS, SAMPLES, TOUCHED, WARM_UP } from './nic-model.js';
import { reportMedian } from './report.js';

const MAX_BATCH = 256;

const [way, portCount, detach, ...batches] = process.argv.slice(2);
const ports = Number(portCount);
if (!(way === 'bursts' || way === 'pass') || !(ports > 0) || batches.length === 0) {
  console.error('usage: forwarder.js bursts|pass PORTS DETACH BATCH...');
  process.exit(2);
}
if (detach === '1') {
  const lost = new ArrayBuffer(8);
  structuredClone(lost, { transfer: [lost] });
}

const arena = new Arena(64 << 20);
const pool = new BufferPool(arena, { count: 2048 * ports });
const nics = Array.from({ length: ports }, () => new ModelNic(pool));
const burst = new Burst(arena, MAX_BATCH);
const touch = { kind: 'add', at: TOUCHED, value: 1 } as const;
const forwarders = nics.map(({ rx, tx }) => new Forwarder(rx, tx, [touch]));

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

const [onlyNic, onlyForwarder] = [nics[0] as ModelNic, forwarders[0] as Forwarder];

/** Until no NIC has anything more. With one port a program has no loop over ports. */
function forwardByBursts(batch: number): void {
  if (ports === 1) {
    while (forward(onlyNic, batch) > 0);
    return;
  }
  let n;
  do {
    n = 0;
    for (let port = 0; port < ports; port++) n += forward(nics[port] as ModelNic, batch);
  } while (n > 0);
}

function forwardInOnePass(batch: number): void {
  if (ports === 1) {
    while (onlyForwarder.forward(batch) > 0);
    return;
  }
  let n;
  do {
    n = 0;
    for (let port = 0; port < ports; port++) n += (forwarders[port] as Forwarder).forward(batch);
  } while (n > 0);
}

/** Milliseconds that pass while `work` is done between `prepare` and `prepare`, so many times. */
function timed(times: number, prepare: () => void, work: () => void): number {
  let spent = 0;
  for (let i = 0; i < times; i++) {
    prepare();
    const begin = performance.now();
    work();
    spent += performance.now() - begin;
  }
  return spent;
}

const nothing = (): void => undefined;
const refill = (): void => {
  for (const nic of nics) nic.refill();
};

/** What the NICs themselves cost is left out, and so is reading the clock. */
function measure(batch: number, forwardAll: (batch: number) => void): void {
  const samples = new Float64Array(SAMPLES);
  const packets = REFILLS * ARRIVALS * ports;
  for (let s = -WARM_UP; s < SAMPLES; s++) {
    const spent = timed(REFILLS, refill, () => forwardAll(batch));
    const clock = timed(REFILLS, nothing, nothing);
    if (s >= 0) samples[s] = (1e6 * (spent - clock)) / packets;
  }
  reportMedian(`batch-${batch}`, samples, packets);
}

for (const batch of batches) measure(Number(batch), way === 'pass' ? forwardInOnePass : forwardByBursts);
const expected = batches.length * (WARM_UP + SAMPLES) * REFILLS * ARRIVALS * ports;
for (const nic of nics) nic.drain();
const sent = nics.reduce((sum, nic) => sum + nic.sent, 0);
if (sent !== expected) throw new Error(`${sent} of ${expected} packets were forwarded`);
