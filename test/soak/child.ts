/** The process under load, in the lab's machine: `child.js MINUTES`. See main.ts. */
import { devices } from '../../lab/devices.js';
import { bindDevice } from '../../lib/index.js';
import { interfacesOf } from '../../examples/ping/demo/interfaces.js';
import { Peer } from '../../examples/ping/demo/peer.js';
import { type Balance, balance, growth } from '../support/balance.js';
import { collectGarbage } from '../support/resources.js';
import { churn } from './churn.js';
import { flood } from './flood.js';

const target = '10.90.0.2';
/** What ping sends by default, what fills a frame, and what needs padding. */
const payloads = [56, 1472, 1];
/** How long the flood of one cycle is to take. */
const floodMs = 8000;
/** The engine's own memory; buffers of ping's output, compiled code. */
const slack = { areas: 128, MiB: 48 };

async function main(minutes: number): Promise<number> {
  const [name] = interfacesOf(devices.nicB);
  if (name === undefined) throw new Error(`${devices.nicB} is not with its kernel driver`);
  // Bound once: what is opened again and again is the device.
  const bindings = [await bindDevice(devices.nicA), await bindDevice(devices.edu)];
  const peer = await Peer.take(name, '10.90.0.1/24');
  const end = performance.now() + minutes * 60_000;
  const start = performance.now();
  const sum = { cycles: 0, failed: 0, sent: 0, answered: 0, interrupts: 0, transfers: 0 };
  let first: Balance | undefined;
  try {
    do {
      const wrong = await cycle(name, payloads[sum.cycles % payloads.length] ?? 56, sum);
      await collectGarbage();
      const now = balance();
      // The first cycle fills caches, and compiles what it runs.
      if (sum.cycles === 1) first = now;
      if (first !== undefined) wrong.push(...growth(first, now, slack));
      sum.cycles++;
      if (wrong.length > 0) sum.failed++;
      const { sent, answered, interrupts, transfers, cycles } = sum;
      const seconds = Math.round((performance.now() - start) / 1000);
      console.log(
        `${seconds} s: ${cycles} cycles, ${answered} of ${sent} pings answered, ${interrupts} interrupts, ${transfers} DMA transfers, ${now.areas} areas, ${now.residentMiB} MiB`,
      );
      for (const text of wrong) console.log(`  FAILED ${text}`);
    } while (performance.now() < end);
  } finally {
    await peer.restore();
    for (const binding of bindings) await binding.restore();
  }
  console.log(`${sum.cycles - sum.failed} passed, ${sum.failed} failed, 0 skipped`);
  return sum.failed === 0 ? 0 : 1;
}

/** As many pings as the last cycle says fit; few, the first time. */
let count = 100;

async function cycle(peer: string, payload: number, sum: Record<string, number>): Promise<string[]> {
  const stop = new AbortController();
  const churning = churn(devices.edu, stop.signal);
  const flooding = flood({ address: devices.nicA, peer, target, count, payload });
  const flooded = await flooding.finally(() => stop.abort());
  count = Math.max(100, Math.round((flooded.sent / flooded.milliseconds) * floodMs));
  const churned = await churning;
  for (const counts of [flooded, churned])
    for (const [name, count] of Object.entries(counts))
      if (name in sum) sum[name] = (sum[name] ?? 0) + Number(count);
  return [...flooded.wrong, ...churned.wrong];
}

main(Number(process.argv[2])).then(
  code => process.exit(code),
  (error: unknown) => {
    console.error(error);
    process.exit(2);
  },
);
