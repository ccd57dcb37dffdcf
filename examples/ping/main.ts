/**
 * Answers ping on an Intel 82574L until Ctrl-C.
 *
 *     node dist/examples/ping/main.js 0000:03:00.0 10.77.0.2
 *
 * The NIC is taken from its kernel driver for that time and given back at the end. With `--no-iommu` after the addresses it
 * is a NIC that no IOMMU guards, which can then reach all memory of the machine.
 */
import { E1000e } from '../e1000e/e1000e.js';
import { formatMacAddress } from '../nic/mac.js';
import { parseIpv4 } from './ipv4.js';
import { Responder } from './responder.js';

async function main([address, ip, option]: readonly string[]): Promise<void> {
  if (address === undefined || ip === undefined || !(option === undefined || option === '--no-iommu')) {
    throw new Error('usage: main.js PCI-ADDRESS IP-ADDRESS [--no-iommu]');
  }
  const ourIp = parseIpv4(ip);
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort());

  await using nic = await E1000e.open(address, { bind: true, noIommu: option === '--no-iommu' });
  const { speed } = await nic.waitForLink({ signal: stop.signal });
  const responder = new Responder(nic, ourIp);
  console.log(`${address} ${formatMacAddress(nic.mac)}: ${speed} Mb/s, answering for ${responder.ip}`);
  await responder.run(stop.signal);
  const { echoReplies, arpReplies, interrupts } = responder;
  console.log(`${echoReplies} pings and ${arpReplies} ARP requests answered, ${interrupts} interrupts`);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
