/** Receives what dpdk-testpmd sends on the other NIC; compare its --forward-mode=rxonly. */
import { Burst } from '../../lib/kit/index.js';
import { E1000e } from '../../examples/e1000e/e1000e.js';
import { programArguments } from './arguments.js';
import { reportRate } from './rate.js';
import { startSender } from './testpmd-process.js';

const BURST = 32;

async function main(): Promise<void> {
  const [address, sender] = programArguments('ADDRESS', 'SENDER');
  await using nic = await E1000e.open(address, { promiscuous: true });
  await using running = await startSender(sender);
  await nic.waitForLink();
  const { pool } = nic;
  const burst = new Burst(pool.arena, BURST);
  reportRate(() => {
    const count = nic.rxBurst(burst, BURST);
    for (let i = 0; i < count; i++) pool.give(burst.handle(i));
    return count;
  });
  await running.stop();
}

void main();
