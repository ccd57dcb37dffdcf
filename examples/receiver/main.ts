/**
 * Receives, and counts what comes by kind. It polls while there is traffic and sleeps while there is none.
 *
 *     node dist/examples/receiver/main.js 0000:03:00.0 [--count N] [--promiscuous]
 *
 * Ends after N frames, or by Ctrl-C, with a summary. The NIC is given back.
 */
import { parseArgs } from 'node:util';
import { Burst, RxLoop } from 'vfio/kit';
import { formatMacAddress } from '../nic/mac.js';
import { openNic } from '../nic/open-nic.js';
import { parseCount, runProgram } from '../nic/program.js';
import { FrameCounters } from './counters.js';

const BURST = 64;

runProgram(async (args, signal) => {
  const options = { count: { type: 'string' }, promiscuous: { type: 'boolean' } } as const;
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  const [address, ...more] = positionals;
  if (address === undefined || more.length > 0) {
    throw new Error('usage: main.js PCI-ADDRESS [--count N] [--promiscuous]');
  }
  const wanted = values.count === undefined ? Infinity : parseCount(values.count, '--count', 1, 2 ** 32);

  await using nic = await openNic(address, { promiscuous: values.promiscuous ?? false });
  await nic.waitForLink({ signal });
  console.log(`${nic.name} ${formatMacAddress(nic.mac)}: receiving`);

  const { pool } = nic;
  const burst = new Burst(pool.arena, BURST);
  const counters = new FrameCounters();
  const enough = new AbortController();
  let left = wanted;
  const loop = new RxLoop(nic, () => {
    const count = nic.rxBurst(burst, Math.min(BURST, left));
    for (let i = 0; i < count; i++) {
      counters.add(pool.arena.u8, burst.handle(i), burst.length(i));
      pool.give(burst.handle(i));
    }
    left -= count;
    if (left === 0) enough.abort();
    return count;
  });
  await loop.run(AbortSignal.any([signal, enough.signal]));

  const { rxErrors, rxMissed } = nic.stats();
  console.log(counters.toString());
  console.log(
    `${counters.totalFrames} frames, ${rxErrors} errors, ${rxMissed} missed; slept ${loop.wakeups} times`,
  );
});
