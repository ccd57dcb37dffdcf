/** Two NICs that forward to each other what each receives, so that frames go round; compare dpdk-testpmd --forward-mode=io. */
import { Burst, type Nic } from '../../lib/kit/index.js';
import { Ports } from '../../examples/forwarder/ports.js';
import { programArguments } from './arguments.js';
import { reportRate } from './rate.js';

/** As testpmd sends with --tx-first: one burst from each port. */
const BURST = 32;
const SIZE = 64;

function sendFirst(nic: Nic): void {
  const burst = new Burst(nic.pool.arena, BURST);
  for (let i = 0; i < BURST; i++) {
    const handle = nic.pool.take();
    nic.pool.bytes(handle).fill(0, 0, SIZE).fill(0xff, 0, 6).set(nic.mac, 6);
    burst.set(i, handle, SIZE);
  }
  if (nic.txBurst(burst, BURST) !== BURST) throw new Error(`${nic.name} did not take the first frames`);
}

async function main(): Promise<void> {
  const addresses = programArguments('ADDRESS', 'ADDRESS');
  await using ports = await Ports.open(addresses, new AbortController().signal);
  for (const nic of ports.nics) sendFirst(nic);
  reportRate(() => ports.forwarder.once());
}

void main();
