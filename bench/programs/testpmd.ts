/** DPDK's own rate of frames, in the terms of rate.ts. */
import { programArguments } from './arguments.js';
import { quantile, reportValue } from './report.js';
import { startSender, Testpmd, type TestpmdOptions } from './testpmd-process.js';

const REPORTS = 3;

const modes = {
  transmit: { mode: 'txonly', direction: 'Tx', own: [0] },
  receive: { mode: 'rxonly', direction: 'Rx', own: [0] },
  circulate: { mode: 'io', direction: 'Tx', own: [0, 1] },
} as const;

async function main(): Promise<void> {
  const [name, cores, ...addresses] = programArguments('MODE', 'CORES', 'ADDRESS', 'ADDRESS');
  const { mode, direction, own } = modes[name as keyof typeof modes];
  const ports = own.map(i => addresses[i]);
  // Where a sender has the second processor, the first is for everything else.
  const alone = cores === '1' || name === 'receive';
  const options: TestpmdOptions = { mode, ports, lcores: alone ? '0@0,1@0' : '0@0,1@1', prefix: 'measured' };
  await using testpmd = new Testpmd(options);
  await using sender = name === 'receive' ? await startSender(addresses[1]) : undefined;
  const perFrame: number[] = [];
  let frames = 0;
  for await (const rate of testpmd.rates(direction, ports.length)) {
    perFrame.push(1e9 / rate);
    frames += rate;
    if (perFrame.length === REPORTS) break;
  }
  await sender?.stop();
  reportValue('frame', quantile(Float64Array.from(perFrame), 0.5), frames);
}

void main();
