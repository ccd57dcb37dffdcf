/**
 * Checksums that the 82574L writes and verifies: with the kernel at the other end, which drops what is wrong, and with our driver at
 * both ends, where every byte on the wire is seen.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type Buffer } from 'node:buffer';
import { setTimeout as sleep } from 'node:timers/promises';
import { Burst, type FrameSender, RxChecksum } from 'vfio/kit';
import { E1000e } from '../../examples/e1000e/e1000e.js';
import { checksum, pseudoHeaderSum } from '../../examples/ping/checksum.js';
import { devices } from '../../lab/devices.js';
import { payloadOf, PORT, Wire } from '../lab/nics/wire.js';
import { writeUdpFrame } from '../lab/support/udp.js';
import { leavesMachineAsItWas } from '../lab/examples/support.js';

const NETWORK = '10.79.0';
const PEER_IP = [10, 79, 0, 1];
const OUR_IP = [10, 79, 0, 2];

const [IP, TRANSPORT] = [14, 34];
const IP_CHECKSUM = IP + 10;
const PROTOCOLS = { icmp: 1, tcp: 6, udp: 17 } as const;
/** Where the checksum is in each header, and how long that is. */
const CHECKSUM = { icmp: 2, tcp: 16, udp: 6 } as const;
const HEADER = { icmp: 8, tcp: 20, udp: 8 } as const;
type Protocol = keyof typeof PROTOCOLS;

const { IP_GOOD, IP_WRONG, TRANSPORT_GOOD, TRANSPORT_WRONG } = RxChecksum;
const LAYOUT = { ipv4: { start: IP, length: 20 }, transport: { protocol: 'udp', start: TRANSPORT } } as const;

function put16(frame: Uint8Array, at: number, value: number): void {
  frame.set([value >> 8, value & 0xff], at);
}

/** The checksum that belongs into a TCP or UDP packet. */
function transportChecksum(frame: Uint8Array, protocol: 'tcp' | 'udp'): number {
  const copy = Uint8Array.from(frame);
  put16(copy, TRANSPORT + CHECKSUM[protocol], pseudoHeaderSum(copy, IP, copy.length - TRANSPORT));
  return checksum(copy, TRANSPORT, copy.length);
}

/** A whole frame with right checksums. */
function frameOf(
  fromMac: Uint8Array,
  toMac: Uint8Array,
  protocol: Protocol,
  payload: Uint8Array,
): Uint8Array {
  const body = new Uint8Array(HEADER[protocol] - 8 + payload.length);
  body.set(payload, HEADER[protocol] - 8);
  const frame = new Uint8Array(TRANSPORT + 8 + body.length);
  writeUdpFrame(frame, { fromMac, toMac, fromIp: OUR_IP, toIp: PEER_IP, port: PORT }, body);
  frame[IP + 9] = PROTOCOLS[protocol];
  put16(frame, IP_CHECKSUM, 0);
  put16(frame, IP_CHECKSUM, checksum(frame, IP, TRANSPORT));
  // An echo request; for TCP an acknowledgement, of which the length of the header is all that matters here.
  if (protocol === 'icmp') frame.set([8, 0, 0, 0, 0x12, 0x34, 0, 1], TRANSPORT);
  if (protocol === 'tcp') frame.set([0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x10, 0x10, 0, 0, 0, 0, 0], TRANSPORT + 4);
  const sum =
    protocol === 'icmp' ? checksum(frame, TRANSPORT, frame.length) : transportChecksum(frame, protocol);
  put16(frame, TRANSPORT + CHECKSUM[protocol], sum);
  return frame;
}

/** The frame as a NIC wants it that writes its checksums. */
function withoutChecksums(frame: Uint8Array, protocol: 'tcp' | 'udp'): Uint8Array {
  const bare = Uint8Array.from(frame);
  put16(bare, IP_CHECKSUM, 0xdead);
  put16(bare, TRANSPORT + CHECKSUM[protocol], pseudoHeaderSum(bare, IP, bare.length - TRANSPORT));
  return bare;
}

/** The frame with a byte changed, as a checksum sees it. */
function spoilt(frame: Uint8Array, at: number): Uint8Array {
  return frame.map((byte, i) => (i === at ? byte ^ 0x55 : byte));
}

/** Sends frames, one burst. */
function send(nic: E1000e, by: FrameSender, ...frames: readonly Uint8Array[]): void {
  const burst = new Burst(nic.pool.arena, frames.length);
  for (const [i, frame] of frames.entries()) {
    const handle = nic.pool.take();
    nic.pool.bytes(handle).set(frame);
    burst.set(i, handle, frame.length);
  }
  for (let sent = 0; sent < frames.length; sent += by.burst(burst, frames.length - sent, sent));
}

interface Got {
  readonly frame: Uint8Array;
  readonly found: number | undefined;
}

/** The next `count` frames that are wanted, and what the NIC found in them. */
async function receive(nic: E1000e, count: number, wanted: (frame: Uint8Array) => boolean): Promise<Got[]> {
  const burst = new Burst(nic.pool.arena, 16);
  const got: Got[] = [];
  while (got.length < count) {
    const received = nic.rxBurst(burst);
    for (let i = 0; i < received; i++) {
      const frame = nic.pool.bytes(burst.handle(i)).slice(0, burst.length(i));
      if (wanted(frame)) got.push({ frame, found: nic.checksums?.received(i) });
      nic.pool.give(burst.handle(i));
    }
    if (received === 0) await sleep(5);
  }
  return got;
}

const isIpv4 = (frame: Uint8Array): boolean => frame[12] === 0x08 && frame[13] === 0;
const isUdp = (frame: Uint8Array): boolean => isIpv4(frame) && frame[IP + 9] === PROTOCOLS.udp;

/** How many packets the kernel dropped for their checksums. */
function droppedByKernel(): { ip: number; udp: number } {
  const lines = readFileSync('/proc/net/snmp', 'utf8').split('\n');
  const read = (group: string, counter: string): number => {
    const [names = '', values = ''] = lines.filter(line => line.startsWith(`${group}: `));
    return Number(values.split(' ')[names.split(' ').indexOf(counter)]);
  };
  return { ip: read('Ip', 'InHdrErrors'), udp: read('Udp', 'InCsumErrors') };
}

describe('examples/e1000e: checksums', function () {
  this.timeout(60_000);
  leavesMachineAsItWas();

  it('writes what the kernel takes for right, and finds right what the kernel sends', async () => {
    await using wire = await Wire.take(devices.nicB, NETWORK);
    await using nic = await E1000e.open(devices.nicA, { bind: true, checksums: true });
    await wire.connect(nic);
    const { checksums = assert.fail() } = nic;
    const udp = checksums.sender(LAYOUT);
    const plain: FrameSender = { burst: (...args) => nic.txBurst(...args) };
    const payloads = Array.from({ length: 40 }, (_, n) => payloadOf(n));
    const frames = payloads.map(payload => frameOf(nic.mac, wire.peerMac, 'udp', payload));

    const dropped = droppedByKernel();
    const arrived = wire.datagrams(frames.length);
    const bare = frames.map(frame => withoutChecksums(frame, 'udp'));
    send(nic, udp, ...bare.slice(0, 20));
    send(nic, plain, ...frames.slice(20, 22));
    send(nic, udp, ...bare.slice(22));
    for (const [n, message] of (await arrived).entries())
      assert.ok(message.equals(payloads[n] as Buffer), `datagram ${n}`);
    assert.deepEqual(droppedByKernel(), dropped);

    // The same without the NIC's help is wrong, and wrong is what the kernel drops.
    const last = wire.datagrams(1);
    const [first = assert.fail(), ip = assert.fail()] = frames;
    const half = spoilt(first, TRANSPORT + CHECKSUM.udp);
    send(nic, plain, withoutChecksums(first, 'udp'), spoilt(ip, IP_CHECKSUM), half, frames[7] as Uint8Array);
    assert.ok((await last)[0]?.equals(payloads[7] as Buffer));
    assert.deepEqual(droppedByKernel(), { ip: dropped.ip + 2, udp: dropped.udp + 1 });

    // ICMP has its checksum from us, the header around it from the NIC.
    const icmp = checksums.sender({ ipv4: LAYOUT.ipv4 });
    const echo = frameOf(nic.mac, wire.peerMac, 'icmp', payloadOf(3));
    put16(echo, IP_CHECKSUM, 0);
    send(nic, icmp, echo);
    const isIcmp = (frame: Uint8Array): boolean => isIpv4(frame) && frame[IP + 9] === PROTOCOLS.icmp;
    const [reply = assert.fail()] = await receive(nic, 1, isIcmp);
    assert.equal(reply.frame[TRANSPORT], 0, 'an echo reply');
    assert.equal(reply.found, IP_GOOD);

    for (const payload of payloads.slice(0, 8)) wire.send(payload);
    for (const { found } of await receive(nic, 8, isUdp)) assert.equal(found, IP_GOOD | TRANSPORT_GOOD);
  });

  it('writes every checksum as software would, and finds what is wrong in received frames', async () => {
    await using nic = await E1000e.open(devices.nicA, { bind: true, checksums: true });
    await using other = await E1000e.open(devices.nicB, { bind: true });
    await Promise.all([nic, other].map(one => one.waitForLink({ timeoutMs: 60_000 })));
    const { checksums = assert.fail() } = nic;
    assert.equal(other.checksums, undefined);
    const plain: FrameSender = { burst: (...args) => other.txBurst(...args) };
    const sender = {
      udp: checksums.sender(LAYOUT),
      tcp: checksums.sender({ ...LAYOUT, transport: { protocol: 'tcp', start: TRANSPORT } }),
    };
    // Back and forth between two contexts, with odd and even lengths, so that the ring goes round.
    for (let n = 0; n < 70; n++) {
      const frames = (['udp', 'tcp', 'udp', 'udp'] as const).map((protocol, i) => ({
        protocol,
        frame: frameOf(nic.mac, other.mac, protocol, payloadOf(4 * n + i, 20 + 3 * n + i)),
      }));
      for (const { protocol, frame } of frames)
        send(nic, sender[protocol], withoutChecksums(frame, protocol));
      const arrived = await receive(other, frames.length, isIpv4);
      for (const [i, { frame, found }] of arrived.entries()) {
        assert.deepEqual(frame, frames[i]?.frame, `frame ${i} of round ${n}`);
        assert.equal(found, undefined);
      }
    }

    const udp = frameOf(other.mac, nic.mac, 'udp', payloadOf(1, 100));
    const tcp = frameOf(other.mac, nic.mac, 'tcp', payloadOf(2, 101));
    const unsummed = Uint8Array.from(udp);
    put16(unsummed, TRANSPORT + CHECKSUM.udp, 0);
    const notIp = Uint8Array.from(udp);
    put16(notIp, 12, 0x88b5);
    const cases: [frame: Uint8Array, found: number][] = [
      [udp, IP_GOOD | TRANSPORT_GOOD],
      [spoilt(udp, udp.length - 1), IP_GOOD | TRANSPORT_WRONG],
      [spoilt(udp, TRANSPORT + CHECKSUM.udp), IP_GOOD | TRANSPORT_WRONG],
      [spoilt(udp, IP_CHECKSUM), IP_WRONG | TRANSPORT_GOOD],
      [spoilt(spoilt(udp, IP_CHECKSUM), TRANSPORT + 8), IP_WRONG | TRANSPORT_WRONG],
      [unsummed, IP_GOOD],
      [tcp, IP_GOOD | TRANSPORT_GOOD],
      [spoilt(tcp, TRANSPORT + 20), IP_GOOD | TRANSPORT_WRONG],
      [notIp, 0],
    ];
    send(other, plain, ...cases.map(([frame]) => frame));
    const got = await receive(nic, cases.length, frame => isIpv4(frame) || frame[12] === 0x88);
    assert.deepEqual(
      got.map(({ found }) => found),
      cases.map(([, found]) => found),
    );
    assert.equal(nic.stats().rxErrors, 0);

    assert.throws(() => checksums.sender({}), /no checksum to write/);
    for (const ipv4 of [
      { start: IP, length: 16 },
      { start: 250, length: 20 },
    ])
      assert.throws(() => checksums.sender({ ipv4 }), { name: 'RangeError', message: /checksums\.ipv4\./ });
    assert.throws(() => checksums.sender({ transport: { protocol: 'tcp', start: 240 } }), RangeError);
  });
});
