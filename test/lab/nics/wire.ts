/**
 * The kernel's end of a wire: the interface of a NIC that stays with its own driver, and UDP sockets on it. A socket delivers
 * exactly what was in the frame, so contents are compared byte by byte.
 */
import assert from 'node:assert/strict';
import { type Socket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Burst, type Nic, RxLoop, type RxSource } from 'vfio/kit';
import { formatMacAddress, parseMac } from '../../../examples/nic/mac.js';
import { runOrThrow } from '../../../examples/ping/demo/command.js';
import { interfacesOf } from '../../../examples/ping/demo/interfaces.js';
import { Peer } from '../../../examples/ping/demo/peer.js';
import { bindSocket, datagrams, FULL, HEADERS, setNeighbour, writeUdpFrame } from '../support/udp.js';

/** How long something may take before it counts as never: machines are slow. */
export const FAR_MS = 60_000;
export const PORT = 7000;

/** What a loop receives from, and where its buffers are from. */
export type Source = RxSource & Pick<Nic, 'rxBurst'>;

/** A received datagram, and the port it was sent to. */
export interface Received {
  readonly payload: Buffer;
  readonly port: number;
}

/** The payload of the nth packet: every byte depends on n and on its place. */
export function payloadOf(n: number, bytes = sizeOf(n)): Buffer {
  return Buffer.from(Uint8Array.from({ length: bytes }, (_, i) => (n * 31 + i * 7) & 0xff));
}

/** Packet sizes from the smallest to the largest, in an order that mixes them. */
function sizeOf(n: number): number {
  return n % 5 === 0 ? FULL : 18 + ((n * 379) % (FULL - 17));
}

export class Wire implements AsyncDisposable {
  private constructor(
    readonly peer: Peer,
    readonly socket: Socket,
    private readonly network: string,
    readonly peerMac: Uint8Array,
  ) {}

  /** Takes the interface of a NIC for a network `10.x.0`. */
  static async take(peerAddress: string, network: string): Promise<Wire> {
    const name = interfaceOf(peerAddress);
    const peer = await Peer.take(name, `${network}.1/24`);
    const socket = await bindSocket(PORT, `${network}.1`);
    const mac = readFileSync(`/sys/class/net/${name}/address`, 'utf8').trim();
    return new Wire(peer, socket, network, parseMac(mac));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.close();
    await this.peer.restore();
  }

  get ourIp(): string {
    return `${this.network}.2`;
  }

  get peerIp(): string {
    return `${this.network}.1`;
  }

  /** Waits for the link at both ends, and tells the kernel where we are, so that it need not ask. */
  async connect(nic: Nic): Promise<void> {
    await Promise.all([nic.waitForLink({ timeoutMs: FAR_MS }), this.waitForPeer()]);
    await this.setNeighbour(this.ourIp, formatMacAddress(nic.mac));
  }

  waitForPeer(): Promise<void> {
    return this.peer.waitForLink(FAR_MS, new AbortController().signal);
  }

  setNeighbour(ip: string, mac: string): Promise<void> {
    return setNeighbour(this.peer.name, ip, mac);
  }

  /** Has the kernel send a datagram to us. */
  send(payload: Uint8Array, port = PORT): void {
    this.socket.send(payload, port, this.ourIp);
  }

  /** Writes a frame to the kernel's socket into a buffer and returns its length. */
  writeFrame(buffer: Uint8Array, from: Uint8Array, payload: Uint8Array): number {
    const [fromIp, toIp] = [this.ourIp, this.peerIp].map(ip => ip.split('.').map(Number)) as [
      number[],
      number[],
    ];
    return writeUdpFrame(buffer, { fromMac: from, toMac: this.peerMac, fromIp, toIp, port: PORT }, payload);
  }

  /** Puts frames with payloads number `first` and on into a burst. */
  fill(burst: Burst, nic: Pick<Nic, 'pool' | 'mac'>, first: number, count: number): void {
    for (let i = 0; i < count; i++) {
      const handle = nic.pool.take();
      assert.notEqual(handle, 0, 'there is a buffer');
      burst.set(i, handle, this.writeFrame(nic.pool.bytes(handle), nic.mac, payloadOf(first + i)));
    }
  }

  /** The next `count` datagrams that the kernel's socket gets. */
  datagrams(count: number): Promise<Buffer[]> {
    return datagrams(this.socket, count, FAR_MS);
  }

  /** One of the kernel's counters. Its drivers publish them every two seconds, or when asked through netlink. */
  async counter(name: string): Promise<number> {
    return counterOf(this.peer.name, name);
  }
}

/** Receives datagrams, asleep until interrupts say that there are some, until `done` says that they are all. */
export async function receive(
  nic: Pick<Nic, 'pool'>,
  source: Source,
  done: (received: readonly Received[]) => boolean,
  stop: AbortController = new AbortController(),
): Promise<{ readonly received: readonly Received[]; readonly loop: RxLoop }> {
  const { pool } = nic;
  const burst = bursts.get(source) ?? new Burst(pool.arena, 16);
  bursts.set(source, burst);
  const received: Received[] = [];
  const work = (): number => {
    const count = source.rxBurst(burst);
    for (let i = 0; i < count; i++) {
      const frame = Buffer.from(pool.bytes(burst.handle(i)).subarray(0, burst.length(i)));
      pool.give(burst.handle(i));
      if (frame.readUInt16BE(12) !== 0x0800 || frame[23] !== 17) continue;
      const total = frame.readUInt16BE(16);
      assert.ok(total <= frame.length - 14);
      received.push({ payload: frame.subarray(HEADERS, 14 + total), port: frame.readUInt16BE(36) });
    }
    if (done(received)) stop.abort();
    return count;
  };
  const timer = setTimeout(() => stop.abort(new Error(`${received.length} datagrams came`)), FAR_MS);
  const loop = new RxLoop(source, work, { idlePolls: 0 });
  await loop.run(stop.signal);
  clearTimeout(timer);
  if (!done(received)) throw stop.signal.reason as Error;
  return { received, loop };
}

/** An arena gives nothing back, so each source has one burst. */
const bursts = new WeakMap<Source, Burst>();

/** The interface of a NIC that is with its kernel driver. */
function interfaceOf(address: string): string {
  return interfacesOf(address)[0] ?? assert.fail(`${address} is not with its kernel driver`);
}

async function counterOf(name: string, counter: string): Promise<number> {
  await runOrThrow('ip', ['-statistics', 'link', 'show', 'dev', name]);
  return Number(readFileSync(`/sys/class/net/${name}/statistics/${counter}`, 'utf8'));
}

/** Has the kernel send frames through one interface and sees them arrive at another, with nothing of ours in between. */
export async function kernelTalks(fromAddress: string, toAddress: string, network: string): Promise<void> {
  const [from, to] = [interfaceOf(fromAddress), interfaceOf(toAddress)];
  const sender = await Peer.take(from, `${network}.1/24`);
  const receiver = await Peer.take(to, `${network}.2/32`);
  try {
    const signal = new AbortController().signal;
    await Promise.all([sender.waitForLink(FAR_MS, signal), receiver.waitForLink(FAR_MS, signal)]);
    const mac = readFileSync(`/sys/class/net/${to}/address`, 'utf8').trim();
    const target = `${network}.9`;
    await runOrThrow('ip', ['neigh', 'replace', target, 'lladdr', mac, 'dev', from, 'nud', 'permanent']);
    const socket = await bindSocket(0, `${network}.1`);
    const before = await counterOf(to, 'rx_packets');
    for (let n = 0; n < 10; n++) socket.send(payloadOf(n), PORT, target);
    const deadline = performance.now() + FAR_MS;
    while ((await counterOf(to, 'rx_packets')) - before < 10) {
      assert.ok(performance.now() < deadline, `${to} received nothing from ${from}`);
      await sleep(20);
    }
    socket.close();
  } finally {
    await receiver.restore();
    await sender.restore();
  }
}
