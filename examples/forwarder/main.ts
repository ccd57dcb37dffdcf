/**
 * Forwards between two ports, or sends datagrams back to their sender with one.
 *
 *     node dist/examples/forwarder/main.js 0000:03:00.0 0000:04:00.0
 *     node dist/examples/forwarder/main.js 0000:03:00.0 --echo
 *
 * Ends by Ctrl-C, with a summary; the NICs are given back.
 */
import { parseArgs } from 'node:util';
import { Arena, BufferPool } from 'vfio/kit';
import { openNic } from '../nic/open-nic.js';
import { runProgram } from '../nic/program.js';
import { echoEdits, L2Forwarder } from './l2-forwarder.js';

/** Both rings of both ports can be full, and as many buffers are on their way. */
const BUFFERS = 2048;
const ARENA = 8 << 20;

runProgram(async (args, signal) => {
  const options = { echo: { type: 'boolean' } } as const;
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  const [one, two, ...more] = positionals;
  const { echo = false } = values;
  if (one === undefined || (two === undefined) !== echo || more.length > 0) {
    throw new Error('usage: main.js PCI-ADDRESS PCI-ADDRESS, or main.js PCI-ADDRESS --echo');
  }
  const pool = new BufferPool(new Arena(ARENA), { count: BUFFERS });
  // Between two ports, frames for anybody go through.
  await using first = await openNic(one, { pool, promiscuous: !echo });
  await using second = two === undefined ? undefined : await openNic(two, { pool, promiscuous: true });
  await Promise.all([first.waitForLink({ signal }), second?.waitForLink({ signal })]);
  console.log(`forwarding ${one} ${two === undefined ? 'back to where it comes from' : `<-> ${two}`}`);

  const forwarder = new L2Forwarder(first, second ?? first, echo ? echoEdits : []);
  await forwarder.run(signal);
  const [there, back] = forwarder.forwarded;
  console.log(`${there} frames forwarded from ${one}${two === undefined ? '' : `, ${back} from ${two}`}`);
});
