/** The NIC's part of a cycle: opened, flooded with pings by the kernel's driver at the other end, closed. */
import { readFileSync } from 'node:fs';
import { run } from '../../examples/ping/demo/command.js';
import { parsePing } from '../../examples/ping/demo/ping.js';
import { E1000e } from '../../examples/e1000e/e1000e.js';
import { parseIpv4 } from '../../examples/ping/ipv4.js';
import { Responder } from '../../examples/ping/responder.js';

export interface FloodOptions {
  address: string;
  /** The interface at the other end, and what it pings. */
  peer: string;
  target: string;
  /** How many; ping waits for the answer to the last. */
  count: number;
  payload: number;
}
export interface FloodResult {
  sent: number;
  answered: number;
  interrupts: number;
  milliseconds: number;
  /** What is not as it must be. */
  wrong: string[];
}

export async function flood({ address, peer, target, count, payload }: FloodOptions): Promise<FloodResult> {
  await using nic = await E1000e.open(address);
  await nic.waitForLink({ timeoutMs: 60_000 });
  const responder = new Responder(nic, parseIpv4(target));
  const stop = new AbortController();
  const answering = responder.run(stop.signal);
  const before = lossesOf(peer);
  const argv = ['-n', '-q', '-f', '-c', count, '-W', 5, '-s', payload, '-M', 'do', '-I', peer, target].map(
    String,
  );
  const start = performance.now();
  const { stdout, stderr, code } = await run('ping', argv);
  const milliseconds = performance.now() - start;
  stop.abort();
  await answering;
  const statistics = parsePing(stdout);
  if (statistics === undefined) throw new Error(`ping did not run: ${stderr.trim() || `exit code ${code}`}`);
  const { transmitted, received, duplicates, corrupted } = statistics;
  const counted = nic.statistics.read();
  const known = lossesOf(peer) - before + counted.missed + responder.dropped;
  const wrong: string[] = [];
  const lost = transmitted - received;
  if (transmitted !== count || received === 0)
    wrong.push(`${received} of ${transmitted} pings were answered, of ${count} asked for`);
  if (lost > known)
    wrong.push(`${lost} of ${transmitted} pings are lost, of which ${known} are known to a device`);
  if (duplicates > 0 || corrupted > 0)
    wrong.push(`${duplicates} answers came twice, ${corrupted} were wrong`);
  if (counted.received !== nic.rx.frames)
    wrong.push(`the device received ${counted.received} frames, the driver saw ${nic.rx.frames}`);
  if (counted.transmitted !== nic.tx.frames)
    wrong.push(`the driver sent ${nic.tx.frames} frames, the device ${counted.transmitted}`);
  return { sent: transmitted, answered: received, interrupts: responder.interrupts, milliseconds, wrong };
}

/** What the kernel's driver knows to have lost. */
function lossesOf(name: string): number {
  const counters = ['rx_dropped', 'rx_missed_errors', 'rx_errors', 'tx_dropped', 'tx_errors'];
  return counters.reduce(
    (sum, counter) => sum + Number(readFileSync(`/sys/class/net/${name}/statistics/${counter}`, 'utf8')),
    0,
  );
}
