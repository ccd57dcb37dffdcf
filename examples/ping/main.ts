/**
 * Answers ping on a NIC, until Ctrl-C.
 *
 *     node dist/examples/ping/main.js 0000:03:00.0 10.77.0.2
 *
 * The NIC is taken from its kernel driver for that time and given back at the end. With `--no-iommu` after the addresses it
 * is a NIC that no IOMMU guards, an Intel 82574L, which can then reach all memory of the machine.
 */
import { formatMacAddress } from '../nic/mac.js';
import { openNic } from '../nic/open-nic.js';
import { runProgram } from '../nic/program.js';
import { parseIpv4 } from './ipv4.js';
import { Responder } from './responder.js';

runProgram(async ([address, ip, option], signal) => {
  if (address === undefined || ip === undefined || !(option === undefined || option === '--no-iommu')) {
    throw new Error('usage: main.js PCI-ADDRESS IP-ADDRESS [--no-iommu]');
  }
  const ourIp = parseIpv4(ip);

  await using nic = await openNic(address, { noIommu: option === '--no-iommu' });
  const { speed } = await nic.waitForLink({ signal });
  const responder = new Responder(nic, ourIp);
  console.log(`${address} ${formatMacAddress(nic.mac)}: ${speed} Mb/s, answering for ${responder.ip}`);
  await responder.run(signal);
  const { echoReplies, arpReplies, interrupts } = responder;
  console.log(`${echoReplies} pings and ${arpReplies} ARP requests answered, ${interrupts} interrupts`);
});
