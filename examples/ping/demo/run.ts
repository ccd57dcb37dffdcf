/**
 * The demo from beginning to end: take a NIC, answer ping on it, give everything back, and say how it went.
 *
 * Whatever happens, Ctrl-C included, the NIC goes back to the driver it had and the peer interface to the state it had.
 */
import { release } from 'node:os';
import { findDevice } from 'vfio';
import { E1000e } from '../../e1000e/e1000e.js';
import { formatMacAddress } from '../../e1000e/mac-address.js';
import { formatIpv4 } from '../ipv4.js';
import { Responder } from '../responder.js';
import { type DemoOptions, parseArguments, USAGE, UsageError } from './arguments.js';
import { checkPeer, checkUnused, deviceOf, findPeer, freeNetwork } from './interfaces.js';
import { kernelInterrupts } from './kernel-interrupts.js';
import { Peer } from './peer.js';
import { describe, describePing, type Report, shortcomings } from './report.js';
import { ping, type PingStatistics } from './ping.js';

const COUNT = 50;
const INTERVAL_SECONDS = 0.05;
/** What ping sends by default, and what fills an Ethernet frame. */
const PAYLOADS = [56, 1472];
const LINK_MS = 20_000;
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** Runs the demo with a command line and returns the exit code: 0 only when everything was as it has to be. */
export async function runDemo(argv: readonly string[]): Promise<number> {
  let options: DemoOptions | 'help';
  try {
    options = parseArguments(argv);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`demo: ${error.message}\n\n${USAGE}`);
    return 2;
  }
  if (options === 'help') {
    console.log(USAGE);
    return 0;
  }

  const stop = new AbortController();
  let endedBy: keyof typeof EXIT_CODES | undefined;
  const onSignal = (name: NodeJS.Signals): void => {
    endedBy = name as keyof typeof EXIT_CODES;
    stop.abort();
  };
  for (const name of Object.keys(EXIT_CODES)) process.on(name, onSignal);
  try {
    return finish(await demonstrate(options, stop.signal));
  } catch (error) {
    if (endedBy === undefined) {
      console.error(`demo: ${error instanceof Error ? error.message : String(error)}`);
      return 1;
    }
    console.error(`demo: ended by ${endedBy}, everything given back.`);
    return EXIT_CODES[endedBy];
  } finally {
    for (const name of Object.keys(EXIT_CODES)) process.off(name, onSignal);
  }
}

function finish(report: Report): number {
  const found = shortcomings(report);
  console.log(describe(report));
  for (const sentence of found) console.error(`demo: ${sentence}`);
  console.log(found.length === 0 ? 'The demo succeeded.' : 'The demo failed.');
  return found.length === 0 ? 0 : 1;
}

async function demonstrate(options: DemoOptions, signal: AbortSignal): Promise<Report> {
  const { address } = options;
  const { driver: driverBefore, vendorId, deviceId } = findDevice(address);
  if (!E1000e.supports(vendorId, deviceId)) {
    const id = [vendorId, deviceId].map(number => number.toString(16).padStart(4, '0')).join(':');
    throw new Error(`${address} is ${id}; the demo has a driver for the Intel 82574L (8086:10d3) only.`);
  }
  if (!options.force) await checkUnused(address);
  const peerName = choosePeer(options);
  const ourIp = options.ip ?? hostOf(freeNetwork(), 2);

  let peer: Peer | undefined;
  let outcome: Omit<Report, 'driverBefore' | 'driverAfter'>;
  try {
    if (peerName !== undefined) {
      const peerIp = formatIpv4(hostOf(ourIp, ourIp[3] === 1 ? 2 : 1));
      peer = await Peer.take(peerName, `${peerIp}/24`);
      console.log(`${peerName} (${deviceOf(peerName) ?? 'virtual'}), the kernel's, is ${peerIp}`);
    }
    outcome = await drive(address, ourIp, driverBefore, peer, signal);
  } finally {
    await peer?.restore();
  }
  return { ...outcome, driverBefore, driverAfter: findDevice(address).driver };
}

/** Opens the NIC, answers on it while somebody pings, and closes it. */
async function drive(
  address: string,
  ourIp: Uint8Array,
  driver: string | undefined,
  peer: Peer | undefined,
  signal: AbortSignal,
): Promise<Omit<Report, 'driverBefore' | 'driverAfter'>> {
  await using nic = await E1000e.open(address, { bind: true });
  console.log(
    `${address} taken from ${driver ?? 'no driver'}, driven by this process (${process.title} ${process.version})`,
  );
  const [link] = await Promise.all([
    nic.waitForLink({ timeoutMs: LINK_MS, signal }),
    peer?.waitForLink(LINK_MS, signal),
  ]);

  const responder = new Responder(nic, ourIp);
  const enough = new AbortController();
  const ending = AbortSignal.any([signal, enough.signal]);
  const answering = responder.run(ending);
  let pings: Report['pings'] = [];
  try {
    if (peer !== undefined) {
      pings = await Promise.race([pingAll(responder, peer.name, ending), failureOf(answering)]);
    } else {
      console.log(
        `Answering for ${responder.ip}. At the other end of the cable, in 255.255.255.0: ping ${responder.ip}. Ctrl-C ends this.`,
      );
    }
  } finally {
    if (peer !== undefined) enough.abort();
    await answering;
  }
  if (peer !== undefined) signal.throwIfAborted();

  return {
    address,
    mac: formatMacAddress(nic.mac),
    ip: responder.ip,
    link,
    kernel: release(),
    group: findDevice(address).group,
    pings,
    echoReplies: responder.echoReplies,
    arpReplies: responder.arpReplies,
    framesReceived: nic.rx.frames,
    framesSent: nic.tx.frames,
    interrupts: responder.interrupts,
    kernelInterrupts: kernelInterrupts(address, nic.interrupts.rx.index),
    wakeups: responder.wakeups,
  };
}

async function pingAll(responder: Responder, from: string, signal: AbortSignal): Promise<Report['pings']> {
  const results = [];
  for (const payload of PAYLOADS) {
    let statistics = await pingOnce(responder, from, payload, signal);
    if (statistics.received < statistics.transmitted && statistics.answered === statistics.transmitted) {
      // After its last packet ping waits for as little as one interval, which a busy machine may exceed.
      console.log('The driver answered all of them, at least one later than ping waited: once more.');
      statistics = await pingOnce(responder, from, payload, signal);
    }
    results.push({ payload, statistics });
  }
  return results;
}

/** What ping says, and how many answers the driver sent meanwhile. */
async function pingOnce(
  responder: Responder,
  from: string,
  payload: number,
  signal: AbortSignal,
): Promise<PingStatistics & { answered: number }> {
  const before = responder.echoReplies;
  const target = responder.ip;
  const statistics = await ping({
    target,
    from,
    count: COUNT,
    intervalSeconds: INTERVAL_SECONDS,
    payload,
    signal,
  });
  console.log(`ping -c ${COUNT} -i ${INTERVAL_SECONDS} -s ${payload} ${target}: ${describePing(statistics)}`);
  return { ...statistics, answered: responder.echoReplies - before };
}

/** Rejects when the responder fails; its end without failure settles nothing, since somebody else decides about that. */
function failureOf(answering: Promise<void>): Promise<never> {
  return new Promise((_, reject) => void answering.catch(reject));
}

function choosePeer({ address, peer }: DemoOptions): string | undefined {
  if (peer === 'none') return undefined;
  return peer === 'find' ? findPeer(address) : checkPeer(peer.name, address);
}

/** The address with this last byte in the network of 256 that `ip` is in. */
function hostOf(ip: Uint8Array, last: number): Uint8Array {
  const [a = 0, b = 0, c = 0] = ip;
  return Uint8Array.of(a, b, c, last);
}
