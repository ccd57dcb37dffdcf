/**
 * The demo from beginning to end: take a NIC, answer ping on it, give everything back, and report how it went.
 *
 * Whatever happens, Ctrl-C included, the NIC goes back to the driver it had and the peer interface to the state it had.
 */
import { release } from 'node:os';
import { findDevice } from 'vfio';
import { E1000e } from '../../e1000e/e1000e.js';
import { formatDeviceId } from '../../nic/device-id.js';
import { formatMacAddress } from '../../nic/mac.js';
import { formatIpv4 } from '../ipv4.js';
import { Responder } from '../responder.js';
import { type DemoOptions } from './arguments.js';
import { checkPeer, checkUnused, deviceOf, findPeer, freeNetwork } from './interfaces.js';
import { kernelInterrupts } from './kernel-interrupts.js';
import { Peer } from './peer.js';
import { ping } from './ping.js';
import { describePing, type Report } from './report.js';

const COUNT = 50;
/** After its last packet ping waits one interval for the answer: this long, since an emulated machine has hiccups. */
const INTERVAL_SECONDS = 0.1;
/** What ping sends by default, and what fills an Ethernet frame. */
const PAYLOADS = [56, 1472];
const LINK_MS = 20_000;

type Outcome = Omit<Report, 'driverBefore' | 'driverAfter'>;

/** Rejects when something fails, and with an `AbortError` when `signal` ends it while this machine itself is pinging. */
export async function demonstrate(options: DemoOptions, signal: AbortSignal): Promise<Report> {
  const { address } = options;
  const { driver: driverBefore, vendorId, deviceId } = findDevice(address);
  if (!E1000e.supports(vendorId, deviceId)) {
    const id = formatDeviceId(vendorId, deviceId);
    throw new Error(`${address} is ${id}; the demo has a driver for the Intel 82574L (8086:10d3) only.`);
  }
  if (!options.force) await checkUnused(address);
  const peerName = choosePeer(options);
  const ourIp = options.ip ?? hostOf(freeNetwork(), 2);

  let peer: Peer | undefined;
  let outcome: Outcome;
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
): Promise<Outcome> {
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
  const target = responder.ip;
  const results = [];
  for (const payload of PAYLOADS) {
    const statistics = await ping({
      target,
      from,
      count: COUNT,
      intervalSeconds: INTERVAL_SECONDS,
      payload,
      signal,
    });
    console.log(
      `ping -c ${COUNT} -i ${INTERVAL_SECONDS} -s ${payload} ${target}: ${describePing(statistics)}`,
    );
    results.push({ payload, statistics });
  }
  return results;
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
