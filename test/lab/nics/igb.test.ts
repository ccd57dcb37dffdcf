import assert from 'node:assert/strict';
import { Burst } from 'vfio/kit';
import { Igb } from '../../../examples/igb/igb.js';
import { kernelInterrupts } from '../../../examples/ping/demo/kernel-interrupts.js';
import { nicDevices } from '../../../lab/devices.js';
import { needs } from '../../support/needs.js';
import { labSuite } from '../support/suite.js';
import { testAnyNic } from './any-nic.js';
import { queueFor, toeplitz } from './rss.js';
import { payloadOf, receive, type Received, Wire } from './wire.js';

const QUEUES = 4;

labSuite('examples/igb', () => {
  needs({ profile: 'nics' });
  testAnyNic(
    {
      address: () => nicDevices.igb,
      peer: nicDevices.igbPeer,
      driver: 'igb',
      mac: '52:54:00:00:00:24',
      network: '10.100.0',
      ringSize: 256,
      open: (where, { small = false, pool } = {}) =>
        Igb.open(where, {
          bind: true,
          ...(small && { rxDescriptors: 8, txDescriptors: 8 }),
          ...(pool && { pool }),
        }),
    },
    (nic, wire) => {
      it('tells of the link, and counts as the device does', async () => {
        assert.deepEqual(nic().link, { up: true, speed: 1000, fullDuplex: true });
        const burst = new Burst(nic().pool.arena, 8);
        wire().fill(burst, nic(), 0, 8);
        const arrived = wire().datagrams(8);
        nic().txBurst(burst, 8);
        await arrived;
        for (let n = 0; n < 8; n++) wire().send(payloadOf(n));
        await receive(nic(), nic(), all => all.length === 8);
        const { transmitted, received, missed } = nic().statistics.read();
        assert.deepEqual([transmitted, received, missed], [8, nic().stats().rxFrames, 0]);
      });
    },
  );

  it('hashes as the published examples do', () => {
    // From 66.9.149.187:2794 to 161.142.100.80:1766.
    const input = [66, 9, 149, 187, 161, 142, 100, 80, 2794 >> 8, 2794 & 0xff, 1766 >> 8, 1766 & 0xff];
    assert.equal(toeplitz(Uint8Array.from(input)), 0x51ccc178);
  });

  it('spreads flows over queues, each with its own interrupt, each flow in order', async () => {
    await using wire = await Wire.take(nicDevices.igbPeer, '10.101.0');
    await using nic = await Igb.open(nicDevices.igb, { bind: true, queues: QUEUES });
    await wire.connect(nic);
    const flows = 24;
    const each = 6;
    const expected = Array.from({ length: QUEUES }, () => 0);
    for (let flow = 0; flow < flows; flow++) {
      const queue = queueFor(wire, 8000 + flow, QUEUES);
      expected[queue] = (expected[queue] ?? 0) + each;
    }
    assert.ok(
      expected.every(count => count > 0),
      `flows for every queue: ${expected.join(' ')}`,
    );

    const ours = (all: readonly Received[]): Received[] => all.filter(({ port }) => port >= 8000);
    const running = nic.queues.map(queue =>
      receive(nic, queue, all => ours(all).length === expected[queue.index]),
    );
    for (let n = 0; n < each; n++) {
      for (let flow = 0; flow < flows; flow++) wire.send(payloadOf(n * flows + flow), 8000 + flow);
    }
    for (const [index, { received, loop }] of (await Promise.all(running)).entries()) {
      const seen = new Map<number, number>();
      for (const { payload, port } of ours(received)) {
        assert.equal(queueFor(wire, port, QUEUES), index, `port ${port}`);
        const n = seen.get(port) ?? 0;
        seen.set(port, n + 1);
        assert.ok(payload.equals(payloadOf(n * flows + port - 8000)), `packet ${n} to port ${port}`);
      }
      assert.ok([...seen.values()].every(count => count === each));
      const counted = kernelInterrupts(nicDevices.igb, index);
      assert.ok(loop.wakeups > 0 && counted >= loop.wakeups, `queue ${index}: ${counted} interrupts`);
    }
    const stats = nic.stats();
    assert.deepEqual([stats.rxErrors, stats.rxMissed, stats.rxNoBuffer], [0, 0, 0]);
    assert.ok(stats.rxFrames >= flows * each);
  });

  it('sends by every queue', async () => {
    await using wire = await Wire.take(nicDevices.igbPeer, '10.102.0');
    await using nic = await Igb.open(nicDevices.igb, { bind: true, queues: QUEUES });
    await wire.connect(nic);
    const burst = new Burst(nic.pool.arena, 16);
    for (const queue of nic.queues) {
      const arrived = wire.datagrams(16);
      wire.fill(burst, nic, 16 * queue.index, 16);
      assert.equal(queue.txBurst(burst, 16), 16);
      for (const [i, message] of (await arrived).entries())
        assert.ok(message.equals(payloadOf(16 * queue.index + i)), `queue ${queue.index}, packet ${i}`);
    }
    assert.equal(nic.stats().txFrames, 16 * QUEUES);
    assert.equal(nic.statistics.read().transmitted, 16 * QUEUES);
  });

  it('refuses what it does not drive, and what it cannot set up', async () => {
    await assert.rejects(Igb.open(nicDevices.virtio, { bind: true }), /1af4:1041, not an Intel 82576/);
    await assert.rejects(Igb.open(nicDevices.igb, { bind: true, queues: 17 }), /1 to 16 queues, not 17/);
    await assert.rejects(Igb.open(nicDevices.igb, { bind: true, queues: 16 }), /MSI-X vectors: enough for/);
    await assert.rejects(Igb.open(nicDevices.igb, { bind: true, rxDescriptors: 100 }), /power of two/);
  });
});
