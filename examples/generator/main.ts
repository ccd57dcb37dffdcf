/**
 * Sends numbered UDP datagrams.
 *
 *     node dist/examples/generator/main.js 0000:03:00.0 --mac 52:54:00:00:00:02 --from 10.0.0.2 --to 10.0.0.1 \
 *       [--port 9000] [--size 60] [--count N] [--rate FRAMES-PER-SECOND] [--checksums]
 *
 * With --checksums the NIC writes the checksums of IPv4 and UDP, if its driver can have it do so; UDP has none otherwise.
 * The NIC is taken from its kernel driver for that time and given back at the end, by Ctrl-C too.
 */
import { parseArgs } from 'node:util';
import { openNic } from '../nic/open-nic.js';
import { parseMac } from '../nic/mac.js';
import { parseCount, runProgram } from '../nic/program.js';
import { parseIpv4 } from '../ping/ipv4.js';
import { Generator } from './generator.js';
import { MAX_FRAME, MIN_FRAME } from './udp-frame.js';

const USAGE =
  'usage: main.js PCI-ADDRESS --mac MAC --from IP --to IP [--port N] [--size BYTES] [--count N] [--rate N] [--checksums]';

runProgram(async (args, signal) => {
  const text = { type: 'string' } as const;
  const options = {
    ...{ mac: text, from: text, to: text, port: text, size: text, count: text, rate: text },
    checksums: { type: 'boolean' },
  } as const;
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  const [address, ...more] = positionals;
  const { mac, from, to, port = '9000', size = '60', count, rate, checksums = false } = values;
  if (
    address === undefined ||
    more.length > 0 ||
    mac === undefined ||
    from === undefined ||
    to === undefined
  ) {
    throw new Error(USAGE);
  }
  const target = { targetMac: parseMac(mac), sourceIp: parseIpv4(from), targetIp: parseIpv4(to) };
  const ports = parseCount(port, '--port', 1, 65535);
  const bytes = parseCount(size, '--size', MIN_FRAME, MAX_FRAME);
  const limits = {
    ...(count === undefined ? {} : { count: parseCount(count, '--count', 1, 2 ** 32) }),
    ...(rate === undefined ? {} : { rate: parseCount(rate, '--rate', 1, 1e9) }),
  };

  await using nic = await openNic(address, { checksums });
  await nic.waitForLink({ signal });
  const flow = { ...target, sourceMac: nic.mac, sourcePort: ports, targetPort: ports };
  const generator = new Generator(nic, { flow, size: bytes, checksums, ...limits });
  const start = performance.now();
  await generator.run(signal);
  await generator.drain(signal);
  const seconds = (performance.now() - start) / 1000;
  console.log(
    `${generator.sent} frames of ${bytes} bytes sent in ${seconds.toFixed(2)} s, ${Math.round(generator.sent / seconds)} per second`,
  );
});
