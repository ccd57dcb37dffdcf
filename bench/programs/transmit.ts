/** Sends frames as fast as a NIC takes them; compare dpdk-testpmd --forward-mode=txonly. */
import { E1000e } from '../../examples/e1000e/e1000e.js';
import { Generator } from '../../examples/generator/generator.js';
import { programArguments } from './arguments.js';
import { reportRate } from './rate.js';

const BURST = 32;

async function main(): Promise<void> {
  const [address] = programArguments('ADDRESS');
  await using nic = await E1000e.open(address);
  await nic.waitForLink();
  const flow = {
    sourceMac: nic.mac,
    targetMac: Uint8Array.of(2, 0, 0, 0, 0, 1),
    sourceIp: Uint8Array.of(198, 18, 0, 1),
    targetIp: Uint8Array.of(198, 18, 0, 2),
    sourcePort: 9,
    targetPort: 9,
  };
  const generator = new Generator(nic, { flow, size: 64 });
  reportRate(() => generator.send(BURST));
}

void main();
