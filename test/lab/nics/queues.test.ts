/** The queues of an 82576 in threads of their own. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { allocLane, Arena, BufferPool, LaneSender } from 'vfio/kit';
import { Igb } from '../../../examples/igb/igb.js';
import { QueueNic } from '../../../examples/igb/shared-queue.js';
import { kernelInterrupts } from '../../../examples/ping/demo/kernel-interrupts.js';
import { nicDevices } from '../../../lab/devices.js';
import { needs } from '../../support/needs.js';
import { held } from '../support/held.js';
import { labSuite } from '../support/suite.js';
import {
  endThreads,
  flowsOf,
  numbered,
  QUEUES,
  QueueThread,
  roundTrips,
  startThreads,
} from './queue-threads.js';
import { queueFor } from './rss.js';
import { Wire } from './wire.js';

/** Descriptors of each ring: small, so that all buffers come round often. */
const RING = 16;
/** How long a frame may take to each queue. */
const ROUND_MS = 5000;
const WATCHED = { rxErrors: 0, rxMissed: 0, rxNoBuffer: 0, txErrors: 0 };

labSuite('examples/igb: a thread for each queue', () => {
  needs({ profile: 'nics' });
  let wire: Wire;
  let nic: Igb;
  let threads: QueueThread[];
  let initially: ReturnType<typeof held>;

  const open = async (pool?: BufferPool): Promise<void> => {
    const rings = { rxDescriptors: RING, txDescriptors: RING, ...(pool && { pool }) };
    nic = await Igb.open(nicDevices.igb, { bind: true, queues: QUEUES, separate: true, ...rings });
    await wire.connect(nic);
  };
  const counted = () => {
    const { rxErrors, rxMissed, rxNoBuffer, txErrors } = nic.stats();
    return { rxErrors, rxMissed, rxNoBuffer, txErrors };
  };

  before(async () => {
    wire = await Wire.take(nicDevices.igbPeer, '10.106.0');
  });
  after(() => wire[Symbol.asyncDispose]());
  beforeEach(async () => {
    threads = [];
    initially = held();
    await open();
  });
  afterEach(async () => {
    await endThreads(threads);
    await nic.close();
    assert.deepEqual(held(), initially);
  });

  it('receives each flow in the thread of its queue, in order, woken by that one’s vector', async () => {
    const flows = flowsOf(wire);
    const count = 20 * flows.length;
    threads = await startThreads(nic, () => ({ task: 'keep' }));
    // The kernel may have something to say to all.
    const received = (): number => nic.stats().rxFrames - nic.statistics.totals.broadcasts;
    for (let n = 0; n < count; n += flows.length) {
      const start = received();
      for (const [i, port] of flows.entries()) wire.send(numbered(n + i), port);
      // What the threads did shows here without asking them. A broadcast that the card counts and gives to no queue would be
      // waited for for ever; whether all came is for the end to tell.
      const deadline = performance.now() + ROUND_MS;
      while (received() < start + flows.length && performance.now() < deadline) await sleep(1);
    }
    const reports = [];
    for (const thread of threads) reports.push(await thread.stop());
    for (const [index, { received: datagrams, wakeups }] of reports.entries()) {
      const ours = flows.filter(port => queueFor(wire, port, QUEUES) === index);
      for (const [i, port] of flows.entries()) {
        const got = datagrams.filter(datagram => datagram.port === port);
        assert.equal(got.length, ours.includes(port) ? count / flows.length : 0, `port ${port}`);
        for (const [j, { payload }] of got.entries()) {
          assert.ok(numbered(j * flows.length + i).equals(payload), `datagram ${j} of port ${port}`);
        }
      }
      if (index === 0) continue;
      const interrupts = kernelInterrupts(nicDevices.igb, index);
      assert.ok(wakeups > 0 && interrupts >= wakeups, `queue ${index}: ${wakeups} of ${interrupts}`);
    }
    assert.deepEqual(counted(), WATCHED);
    for (const [index, { nic: seen, stats }] of reports.entries()) {
      assert.deepEqual(seen, { name: `queue ${index} of ${nicDevices.igb}`, index, mac: nic.mac });
      const { frames, bytes } = nic.queues[index]?.rx ?? assert.fail();
      assert.deepEqual([stats.rxFrames, stats.rxBytes, stats.rxErrors], [frames, bytes, 0]);
    }
    assert.deepEqual(
      nic.queues.map(({ rxVector }) => rxVector.adoptedBy),
      nic.queues.map(() => undefined),
    );
  });

  it('sends back by the queue of each thread, ten times all buffers', async () => {
    const count = 10 * nic.pool.count;
    const parts = nic.queues.map(({ pool }) => pool.free + RING);
    threads = await startThreads(nic, () => ({ task: 'echo' }));
    await roundTrips(wire, flowsOf(wire), count);
    for (const thread of threads) assert.equal((await thread.stop()).dropped, 0);
    assert.deepEqual(
      nic.queues.map(({ pool, tx }) => pool.free + RING + tx.inFlight),
      parts,
    );
    const { rxFrames, txFrames } = nic.stats();
    assert.ok(rxFrames >= count && txFrames >= count);
    assert.ok(nic.queues.every(({ tx }) => tx.frames > RING));
    assert.deepEqual(counted(), WATCHED);
    await nic.close();
    assert.equal(nic.pool.free, nic.pool.count);
  });

  it('sends back from another thread than received, and all buffers go home', async () => {
    await nic.close();
    // With books on who has which.
    await open(new BufferPool(new Arena(1 << 20), { count: QUEUES * 3 * RING, debug: true }));
    const count = 10 * nic.pool.count;
    const parts = nic.queues.map(({ pool }) => pool.free + RING);
    const lanes = nic.queues.map(() => allocLane(nic.pool, 64));
    threads = await startThreads(nic, index => {
      const [lane, into, next] = [lanes[index], lanes.at(index - 1), (index + 1) % QUEUES];
      return { task: 'relay', ...(lane && { out: { lane, queue: next } }), ...(into && { into }) };
    });
    await roundTrips(wire, flowsOf(wire), count);
    let relayed = 0;
    for (const thread of threads) {
      const report = await thread.stop();
      assert.equal(report.dropped, 0);
      assert.ok(report.relayed > 0);
      relayed += report.relayed;
    }
    assert.ok(relayed >= count);
    assert.deepEqual(
      lanes.map(lane => new LaneSender(nic.pool, lane).away),
      lanes.map(() => 0),
    );
    assert.deepEqual(
      nic.queues.map(({ pool, tx }) => pool.free + RING + tx.inFlight),
      parts,
    );
    assert.deepEqual(counted(), WATCHED);
    await nic.close();
    assert.equal(nic.pool.free, nic.pool.count);
  });

  it('goes on in all other threads when one is terminated in the middle of traffic', async () => {
    const all = flowsOf(wire);
    for (const victim of [0, 1]) {
      threads = await startThreads(nic, () => ({ task: 'echo' }));
      await roundTrips(wire, all, 2 * all.length);
      // Nobody waits for what the victim sends back.
      let ends = false;
      const flood = (async () => {
        for (let n = 0; !ends; n++) {
          wire.send(
            numbered(n),
            all.find(port => queueFor(wire, port, QUEUES) === victim),
          );
          if (n % 4 === 0) await sleep(1);
        }
      })();
      const seen = nic.queues[victim]?.rx.frames ?? 0;
      while ((nic.queues[victim]?.rx.frames ?? 0) < seen + 2 * RING) await sleep(1);
      await threads[victim]?.worker.terminate();
      const others = nic.queues.map(({ index }) => index).filter(index => index !== victim);
      await roundTrips(wire, flowsOf(wire, others), 150);
      ends = true;
      await flood;
      assert.throws(() => QueueNic.adopt(nic.shareQueue(victim)), /is with another thread, or was/);
      for (const [index, thread] of threads.entries()) if (index !== victim) await thread.stop();
      await nic.close();
      assert.deepEqual(held(), initially);
      await open();
    }
    threads = await startThreads(nic, () => ({ task: 'echo' }));
    await roundTrips(wire, all, 2 * all.length);
  });

  it('ends in all threads when the NIC is closed under them', async () => {
    const start = (index: number) =>
      QueueThread.start({ queue: nic.shareQueue(index), task: 'echo', loop: 'interrupts' });
    threads = await Promise.all(nic.queues.map(({ index }) => start(index)));
    await roundTrips(wire, flowsOf(wire), 48);
    await nic.close();
    for (const { ended } of threads) await assert.rejects(ended, { code: 'ERR_VFIO_CLOSED' });
    assert.deepEqual(held(), initially);
    await open();
    threads = await startThreads(nic, () => ({ task: 'echo' }));
    await roundTrips(wire, flowsOf(wire), 48);
    for (const thread of threads) await thread.stop();
  });

  it('hands a queue to one thread at a time, and to the next when that has closed it', async () => {
    const data = { queue: nic.shareQueue(1), task: 'echo', loop: 'interrupts' } as const;
    const flows = flowsOf(wire, [1]);
    for (let round = 0; round < 2; round++) {
      const thread = await QueueThread.start(data);
      threads.push(thread);
      await assert.rejects(QueueThread.start(data), /is with another thread/);
      await roundTrips(wire, flows, 40);
      await thread.stop();
    }
    // And here again.
    assert.equal(nic.queues[1]?.rxVector.adoptedBy, undefined);
    assert.equal(nic.queues[1]?.rx.frames, 80);
  });
});
