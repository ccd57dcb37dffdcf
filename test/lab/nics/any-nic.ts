/** What every driver must be able to do, whatever its NIC. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { findDevice } from 'vfio';
import { Burst, type BufferPool, type Nic } from 'vfio/kit';
import { formatMacAddress } from '../../../examples/nic/mac.js';
import { run } from '../../../examples/ping/demo/command.js';
import { kernelInterrupts } from '../../../examples/ping/demo/kernel-interrupts.js';
import { parsePing } from '../../../examples/ping/demo/ping.js';
import { parseIpv4 } from '../../../examples/ping/ipv4.js';
import { Responder } from '../../../examples/ping/responder.js';
import { held } from '../support/held.js';
import { kernelTalks, payloadOf, PORT, receive, Wire } from './wire.js';

export interface Subject<N extends Nic> {
  /** The NIC that the driver takes, and the one at the other end. Where they are may be known only when the tests run. */
  address(): string;
  readonly peer: string;
  /** What its kernel driver is called; undefined for one that has none. */
  readonly driver: string | undefined;
  readonly mac: string | undefined;
  /** `10.x.0` */
  readonly network: string;
  open(address: string, options?: { small?: boolean; pool?: BufferPool }): Promise<N>;
  /** Frames that each ring has room for. */
  readonly ringSize: number;
}

const BURST = 32;

/** Declares the tests. Those that a NIC has of its own come in `more`, with the NIC open and its wire connected. */
export function testAnyNic<N extends Nic>(
  subject: Subject<N>,
  more: (nic: () => N, wire: () => Wire) => void,
): void {
  const { peer, driver, mac, network } = subject;
  const address = (): string => subject.address();

  it('is opened and closed twice in a row, leaves nothing behind, and works for the kernel again', async () => {
    const before = held();
    for (let round = 0; round < 2; round++) {
      await using nic = await subject.open(address());
      assert.equal(findDevice(address()).driver, 'vfio-pci');
      if (mac !== undefined) assert.equal(formatMacAddress(nic.mac), mac);
    }
    assert.deepEqual(held(), before);
    if (driver === undefined) return;
    assert.equal(findDevice(address()).driver, driver);
    await kernelTalks(peer, address(), network);
    await kernelTalks(address(), peer, network);
  });

  it('gives the device back when it cannot start', async () => {
    const before = held();
    const driver = findDevice(address()).driver;
    const { BufferPool: Pool, Arena } = await import('vfio/kit');
    const pool = new Pool(new Arena(1 << 20), { count: 4 });
    await assert.rejects(subject.open(address(), { pool }), { name: 'RangeError' });
    assert.equal(findDevice(address()).driver, driver);
    assert.deepEqual(held(), before);
  });

  describe('with the kernel at the other end', () => {
    let wire: Wire;
    let nic: N;

    before(async () => {
      wire = await Wire.take(peer, network);
    });
    beforeEach(async () => {
      nic = await subject.open(address());
      await wire.connect(nic);
    });
    afterEach(() => nic.close());
    after(() => wire[Symbol.asyncDispose]());

    for (const payload of [56, 1472]) {
      it(`answers ping with ${payload} bytes through the kit's responder, none is lost`, async () => {
        const responder = new Responder(nic, parseIpv4(wire.ourIp));
        const stop = new AbortController();
        const running = responder.run(stop.signal);
        const count = 30;
        // It waits for late answers, for a slow machine is not a loss.
        const options = ['-n', '-c', count, '-i', 0.05, '-s', payload, '-W', 60, '-I', wire.peer.name];
        const { stdout } = await run('ping', [...options, wire.ourIp].map(String));
        const kernelCounted = kernelInterrupts(address(), nic.rxVector.index);
        stop.abort();
        await running;
        const { transmitted, received, duplicates, corrupted } = parsePing(stdout) ?? assert.fail(stdout);
        assert.deepEqual([transmitted, received, duplicates, corrupted], [count, count, 0, 0]);
        assert.ok(responder.echoReplies >= count);
        assert.ok(responder.wakeups > 0, 'woken by interrupts, as nothing else wakes it');
        assert.ok(kernelCounted >= responder.wakeups, `the kernel counted ${kernelCounted} interrupts`);
      });
    }

    it('transmits frames of every kind of size, more than three times around the ring', async () => {
      const rounds = Math.ceil((3.1 * subject.ringSize) / BURST);
      const outgoing = new Burst(nic.pool.arena, BURST);
      const kernelBefore = await wire.counter('rx_packets');
      let bytes = 0;
      for (let round = 0; round < rounds; round++) {
        const arrived = wire.datagrams(BURST);
        wire.fill(outgoing, nic, round * BURST, BURST);
        for (let i = 0; i < BURST; i++) bytes += outgoing.length(i);
        for (let sent = 0; sent < BURST; sent += nic.txBurst(outgoing, BURST - sent, sent));
        for (const [i, message] of (await arrived).entries()) {
          assert.ok(message.equals(payloadOf(round * BURST + i)), `packet ${round * BURST + i}`);
        }
      }
      // Everything arrived, of which the NIC may still have to tell.
      while (nic.txPending > 0) await sleep(1);
      const { txFrames, txBytes, txErrors } = nic.stats();
      assert.deepEqual([txFrames, txBytes, txErrors], [rounds * BURST, bytes, 0]);
      assert.ok((await wire.counter('rx_packets')) - kernelBefore >= rounds * BURST);
    });

    it('receives frames of every kind of size, more than three times around the ring', async () => {
      const rounds = Math.ceil((3.1 * subject.ringSize) / BURST);
      let wakeups = 0;
      for (let round = 0; round < rounds; round++) {
        for (let i = 0; i < BURST; i++) wire.send(payloadOf(round * BURST + i));
        const { received, loop } = await receive(nic, nic, all => all.length === BURST);
        wakeups += loop.wakeups;
        for (const [i, { payload, port }] of received.entries()) {
          assert.ok(payload.equals(payloadOf(round * BURST + i)), `packet ${round * BURST + i}`);
          assert.equal(port, PORT);
        }
      }
      const { rxFrames, rxErrors, rxMissed, rxNoBuffer } = nic.stats();
      assert.ok(rxFrames >= rounds * BURST);
      assert.deepEqual([rxErrors, rxMissed, rxNoBuffer], [0, 0, 0]);
      assert.ok(wakeups > 0, 'interrupts woke it');
    });

    it('counts frames that cannot be sent, and gives their buffers back', async () => {
      const { pool } = nic;
      const free = pool.free;
      const burst = new Burst(pool.arena, 3);
      for (const [i, length] of [nic.minFrame - 1, nic.maxFrame + 1, 60].entries()) {
        const handle = pool.take();
        if (i === 2) wire.writeFrame(pool.bytes(handle), nic.mac, payloadOf(0, 18));
        burst.set(i, handle, length);
      }
      const arrived = wire.datagrams(1);
      assert.equal(nic.txBurst(burst, 3), 3);
      assert.ok((await arrived)[0]?.equals(payloadOf(0, 18)));
      const { txErrors, txFrames } = nic.stats();
      assert.deepEqual([txErrors, txFrames], [2, 1]);
      assert.ok(pool.free >= free - 1);
    });

    it('wraps around with rings of the smallest size', async () => {
      await nic.close();
      nic = await subject.open(address(), { small: true });
      await wire.connect(nic);
      const burst = new Burst(nic.pool.arena, 1);
      for (let n = 0; n < 30; n++) {
        const arrived = wire.datagrams(1);
        wire.fill(burst, nic, n, 1);
        while (nic.txBurst(burst, 1) === 0);
        assert.ok((await arrived)[0]?.equals(payloadOf(n)));
        wire.send(payloadOf(n));
        const { received } = await receive(nic, nic, all => all.length === 1);
        assert.ok(received[0]?.payload.equals(payloadOf(n)));
      }
    });

    it('gives all buffers back when it is closed, also those under way', async () => {
      const { pool } = nic;
      const burst = new Burst(pool.arena, 8);
      wire.fill(burst, nic, 0, 8);
      nic.txBurst(burst, 8);
      assert.ok(nic.txPending <= 8);
      for (let n = 0; n < 8; n++) wire.send(payloadOf(n));
      await nic.close();
      assert.equal(nic.txPending, 0);
      assert.equal(pool.free, pool.count);
      assert.throws(() => nic.rxBurst(burst));
      assert.throws(() => nic.txBurst(burst, 0));
    });

    more(
      () => nic,
      () => wire,
    );
  });
}
