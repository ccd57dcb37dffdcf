/**
 * Captures what a NIC receives into a file that Wireshark and tcpdump read.
 *
 *     node dist/examples/capture/main.js 0000:03:00.0 FILE.pcapng [--count N]
 *
 * Ends after N frames, or by Ctrl-C. The NIC is given back.
 */
import { parseArgs } from 'node:util';
import { openNic } from '../nic/open-nic.js';
import { parseCount, runProgram } from '../nic/program.js';
import { Capture } from './capture.js';

runProgram(async (args, signal) => {
  const options = { count: { type: 'string' } } as const;
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  const [address, file, ...more] = positionals;
  if (address === undefined || file === undefined || more.length > 0) {
    throw new Error('usage: main.js PCI-ADDRESS FILE [--count N]');
  }
  const limit = values.count === undefined ? Infinity : parseCount(values.count, '--count', 1, 2 ** 32);

  await using nic = await openNic(address, { promiscuous: true });
  await nic.waitForLink({ signal });
  console.log(`${nic.name}: capturing to ${file}`);
  const { frames, dropped } = await Capture.run(nic, file, limit, signal);
  console.log(`${frames} frames captured, ${dropped} dropped, ${nic.stats().rxMissed} missed by the NIC`);
});
