/**
 * The 82574L driver against the kernel's own: our NIC on one end, and the kernel's interface, with UDP sockets on it, on
 * the other. A socket delivers exactly what was in the frame, so contents are compared byte by byte.
 */
import assert from 'node:assert/strict';
import { type Socket } from 'node:dgram';
import { setTimeout as sleep } from 'node:timers/promises';
import { findDevice } from 'vfio';
import { Burst } from 'vfio/kit';
import { E1000e } from '../../../examples/e1000e/e1000e.js';
import { formatMacAddress } from '../../../examples/nic/mac.js';
import { Cause } from '../../../examples/e1000e/registers.js';
import { stop } from '../../../examples/e1000e/reset.js';
import { runOrThrow } from '../../../examples/ping/demo/command.js';
import { Peer } from '../../../examples/ping/demo/peer.js';
import { devices } from '../../../lab/devices.js';
import { bindSocket, datagrams, FULL, HEADERS, setNeighbour, writeUdpFrame } from '../support/udp.js';
import { inLab, interfaceCounter, machineState, needsLab, peerName } from './support.js';

const OUR_IP = [10, 78, 0, 2];
const PEER_IP = [10, 78, 0, 1];
const PEER_MAC = [0x52, 0x54, 0, 0, 0, 2];
const PORT = 7000;

describe('examples/e1000e: opening and closing', function () {
  before(function () {
    needsLab(this);
  });

  it('resets the device, reads its address, and gives it back, twice in a row', async () => {
    const before = await machineState();
    for (let round = 0; round < 2; round++) {
      await using nic = await E1000e.open(devices.nicA, { bind: true });
      assert.equal(findDevice(devices.nicA).driver, 'vfio-pci');
      assert.equal(formatMacAddress(nic.mac), '52:54:00:00:00:01');
      assert.equal(nic.device.config.busMaster, true);
      assert.equal(nic.registers.IMS.read(), 0, 'no interrupt is armed');
    }
    assert.deepEqual(await machineState(), before);
  });

  it('learns of the link by an interrupt', async () => {
    await using nic = await E1000e.open(devices.nicA, { bind: true });
    assert.equal(nic.link.up, false, 'negotiation has only begun');
    const state = await nic.waitForLink();
    assert.deepEqual(state, { up: true, speed: 1000, fullDuplex: true });
    assert.ok(nic.interrupts.other.total > 0);
    assert.deepEqual(await nic.waitForLink(), state, 'and at once when it is up already');
  });

  it('gives up waiting for the link when told to', async () => {
    await using nic = await E1000e.open(devices.nicA, { bind: true });
    await assert.rejects(nic.waitForLink({ timeoutMs: 20 }), /No link after 20 ms/);
    await assert.rejects(nic.waitForLink({ signal: AbortSignal.timeout(20) }), { name: 'AbortError' });
  });

  it('refuses what it does not drive, and what it cannot set up, and gives the device back', async () => {
    const before = await machineState();
    const other = E1000e.open(devices.edu, { bind: true });
    await assert.rejects(other, /0000:04:00\.0 is 1234:11e8, not an Intel 82574L \(8086:10d3\)/);
    const odd = E1000e.open(devices.nicA, { bind: true, rxDescriptors: 100 });
    await assert.rejects(odd, { name: 'RangeError', message: /power of two.*got 100/ });
    assert.deepEqual(await machineState(), before);
  });

  it('closes twice without harm', async () => {
    const nic = await E1000e.open(devices.nicA, { bind: true });
    await nic.close();
    await nic.close();
    assert.equal(findDevice(devices.nicA).driver, 'e1000e');
  });
});

describe('examples/e1000e: packets to and from the kernel', function () {
  this.timeout(60_000);
  let peer: Peer;
  let nic: E1000e;
  let socket: Socket;

  before(async function () {
    needsLab(this);
    peer = await Peer.take(peerName(), `${PEER_IP.join('.')}/24`);
    socket = await bindSocket(PORT, PEER_IP.join('.'));
  });
  beforeEach(async () => {
    nic = await E1000e.open(devices.nicA, { bind: true });
    await Promise.all([nic.waitForLink(), peer.waitForLink(10_000, new AbortController().signal)]);
    await setNeighbour(peer.name, OUR_IP.join('.'), formatMacAddress(nic.mac));
  });
  afterEach(() => nic.close());
  after(async () => {
    if (!inLab) return;
    socket.close();
    await peer.restore();
  });

  /** Writes a UDP frame to the kernel's socket into a buffer and returns its length. */
  const writeFrame = (buffer: Uint8Array, payload: Uint8Array): number =>
    writeUdpFrame(
      buffer,
      { fromMac: nic.mac, toMac: PEER_MAC, fromIp: OUR_IP, toIp: PEER_IP, port: PORT },
      payload,
    );

  /** The payload of the nth packet: every byte depends on n and on its place. */
  function payloadOf(n: number, bytes: number): Buffer {
    return Buffer.from(Uint8Array.from({ length: bytes }, (_, i) => (n * 31 + i * 7) & 0xff));
  }

  /** Packet sizes from the smallest to the largest, in an order that mixes them. */
  const sizeOf = (n: number): number => (n % 5 === 0 ? FULL : 18 + ((n * 379) % (FULL - 17)));

  /** Receives until `count` UDP packets to us have come, asleep until interrupts say that there are some. */
  async function receivePayloads(count: number): Promise<Buffer[]> {
    const got: Buffer[] = [];
    const keep = (frame: Uint8Array, length: number): void => {
      if (frame[12] !== 0x08 || frame[13] !== 0x00 || frame[23] !== 17) return;
      const total = ((frame[16] ?? 0) << 8) | (frame[17] ?? 0);
      assert.ok(total <= length - 14);
      got.push(Buffer.from(frame.subarray(HEADERS, 14 + total)));
    };
    const signal = AbortSignal.timeout(5000);
    nic.interrupts.arm(Cause.RXQ0);
    const wakeups = nic.interrupts.rx.interrupts({ signal });
    while (got.length < count) {
      await wakeups.next();
      do {
        while (nic.receive(16, keep) > 0);
        nic.interrupts.arm(Cause.RXQ0);
      } while (nic.rx.pending);
    }
    await wakeups.return?.();
    return got;
  }

  function send(payload: Uint8Array, ip = OUR_IP): void {
    socket.send(payload, PORT, ip.join('.'));
  }

  it('transmits frames of every kind of size, more than three times around the ring', async () => {
    const rounds = 25;
    const burst = 32;
    assert.ok(rounds * burst > 3 * nic.tx.size);
    const outgoing = new Burst(nic.pool.arena, burst);
    for (let round = 0; round < rounds; round++) {
      const arrived = datagrams(socket, burst, 5000);
      for (let i = 0; i < burst; i++) {
        const n = round * burst + i;
        const handle = nic.pool.take();
        assert.notEqual(handle, 0, 'there is a buffer');
        outgoing.set(i, handle, writeFrame(nic.pool.bytes(handle), payloadOf(n, sizeOf(n))));
      }
      assert.equal(nic.txBurst(outgoing, burst), burst);
      for (const [i, message] of (await arrived).entries()) {
        const n = round * burst + i;
        assert.ok(message.equals(payloadOf(n, sizeOf(n))), `packet ${n} of ${sizeOf(n)} bytes`);
      }
    }
    while (nic.txPending > 0) await sleep(1);
    assert.equal(nic.tx.frames, rounds * burst);
    assert.equal(nic.statistics.read().transmitted, rounds * burst);
  });

  it('receives frames of every kind of size, more than three times around the ring', async () => {
    const rounds = 25;
    const burst = 32;
    assert.ok(rounds * burst > 3 * nic.rx.size);
    for (let round = 0; round < rounds; round++) {
      for (let i = 0; i < burst; i++) send(payloadOf(round * burst + i, sizeOf(round * burst + i)));
      for (const [i, message] of (await receivePayloads(burst)).entries()) {
        const n = round * burst + i;
        assert.ok(message.equals(payloadOf(n, sizeOf(n))), `packet ${n} of ${sizeOf(n)} bytes`);
      }
    }
    assert.ok(nic.rx.frames >= rounds * burst);
    assert.equal(nic.rx.errors, 0);
    const { received, missed } = nic.statistics.read();
    assert.equal(received, nic.rx.frames);
    assert.equal(missed, 0);
  });

  it('wraps around with rings of the smallest size', async () => {
    await nic.close();
    nic = await E1000e.open(devices.nicA, { bind: true, rxDescriptors: 8, txDescriptors: 8 });
    await nic.waitForLink();
    for (let n = 0; n < 30; n++) {
      const payload = payloadOf(n, FULL);
      const arrived = datagrams(socket, 1, 5000);
      const frame = new Uint8Array(HEADERS + FULL);
      writeFrame(frame, payload);
      assert.equal(nic.transmit(frame), true);
      assert.ok((await arrived)[0]?.equals(payload));
      send(payload);
      assert.ok((await receivePayloads(1))[0]?.equals(payload));
    }
  });

  it('sends and is heard: the counters of the kernel agree', async () => {
    const before = interfaceCounter(peer.name, 'rx_packets');
    const arrived = datagrams(socket, 10, 5000);
    for (let n = 0; n < 10; n++) {
      const frame = new Uint8Array(HEADERS + 100);
      writeFrame(frame, payloadOf(n, 100));
      nic.transmit(frame);
    }
    await arrived;
    // The kernel's driver publishes its counters every two seconds, or when asked through netlink.
    await runOrThrow('ip', ['-statistics', 'link', 'show', 'dev', peer.name]);
    assert.ok(interfaceCounter(peer.name, 'rx_packets') - before >= 10);
  });

  it('announces sent frames by the transmit interrupt', async () => {
    nic.interrupts.arm(Cause.TXQ0);
    const interrupted = nic.interrupts.tx.wait({ timeoutMs: 5000 });
    const frame = new Uint8Array(HEADERS + 20);
    writeFrame(frame, payloadOf(0, 20));
    nic.transmit(frame);
    assert.ok((await interrupted) > 0);
    assert.equal(nic.tx.inFlight, 1);
    // Buffers come back a batch at a time.
    for (let n = 1; n < 32; n++) assert.equal(nic.transmit(frame), true);
    const burst = new Burst(nic.pool.arena, 1);
    const inFlight = (): number => nic.tx.inFlight;
    for (let waited = 0; inFlight() > 0 && waited < 500; waited++) {
      await sleep(10);
      nic.txBurst(burst, 0);
    }
    assert.equal(inFlight(), 0);
    assert.equal(nic.pool.free, nic.pool.count - nic.rx.size);
  });

  it('interrupts once for frames that come while the cause masks itself, until it is armed', async () => {
    const { rx } = nic.interrupts;
    rx.waitSync(0); // what an earlier test left
    nic.interrupts.arm(Cause.RXQ0);
    const first = rx.wait({ timeoutMs: 5000 });
    for (let n = 0; n < 5; n++) send(payloadOf(n, 100));
    await first;
    await sleep(50);
    while (nic.receive(32, () => undefined) > 0);
    rx.waitSync(0); // nobody listened meanwhile, and the eventfd remembers
    const seen = nic.interrupts.rx.total;
    send(payloadOf(9, 100));
    await assert.rejects(nic.interrupts.rx.wait({ timeoutMs: 100 }), { code: 'ERR_VFIO_TIMEOUT' });
    assert.equal(nic.interrupts.rx.total, seen);
    const remembered = nic.interrupts.rx.wait({ timeoutMs: 5000 });
    nic.interrupts.arm(Cause.RXQ0);
    assert.ok((await remembered) > 0, 'what came meanwhile interrupts upon arming');
    assert.equal(nic.rx.pending, true);
  });

  it('filters frames for others, unless told not to', async () => {
    const stranger = [10, 78, 0, 9];
    await setNeighbour(peer.name, stranger.join('.'), '02:00:00:00:00:99');
    send(payloadOf(1, 100), stranger);
    send(payloadOf(2, 100));
    assert.deepEqual(await receivePayloads(1), [payloadOf(2, 100)]);

    await nic.close();
    nic = await E1000e.open(devices.nicA, { bind: true, promiscuous: true });
    await nic.waitForLink();
    send(payloadOf(3, 100), stranger);
    assert.deepEqual(await receivePayloads(1), [payloadOf(3, 100)]);
  });

  it('neither receives nor interrupts once it is stopped', async () => {
    nic.interrupts.arm(Cause.RXQ0);
    await stop(nic.registers);
    const seen = nic.interrupts.rx.total;
    for (let n = 0; n < 5; n++) send(payloadOf(n, 100));
    await sleep(100);
    assert.equal(nic.rx.pending, false);
    assert.equal(nic.interrupts.rx.total, seen);
  });
});
