import assert from 'node:assert/strict';
import { Burst } from 'vfio/kit';
import { Feature } from '../../../examples/virtio-net/registers.js';
import { VirtioNet } from '../../../examples/virtio-net/virtio-net.js';
import { nicDevices } from '../../../lab/devices.js';
import { needs } from '../../support/needs.js';
import { Monitor } from '../support/monitor.js';
import { labSuite } from '../support/suite.js';
import { testAnyNic } from './any-nic.js';
import { payloadOf, receive } from './wire.js';

/** The three layouts of queues that there are, as this device offers them. */
const variants = [
  {
    title: 'split queues',
    address: nicDevices.virtio,
    mac: '52:54:00:00:00:21',
    without: [],
    packed: false,
    eventIdx: true,
  },
  {
    title: 'split queues without event indexes',
    address: nicDevices.virtio,
    mac: '52:54:00:00:00:21',
    without: [Feature.EVENT_IDX],
    packed: false,
    eventIdx: false,
  },
  {
    title: 'packed queues',
    address: nicDevices.virtioPacked,
    mac: '52:54:00:00:00:23',
    without: [],
    packed: true,
    eventIdx: true,
  },
  {
    title: 'packed queues without event indexes',
    address: nicDevices.virtioPacked,
    mac: '52:54:00:00:00:23',
    without: [Feature.EVENT_IDX],
    packed: true,
    eventIdx: false,
  },
] as const;

for (const [i, { title, address, mac, without, packed, eventIdx }] of variants.entries()) {
  labSuite(`examples/virtio-net: ${title}`, () => {
    needs({ profile: 'nics' });
    testAnyNic(
      {
        address: () => address,
        peer: nicDevices.virtioPeer,
        driver: 'virtio-pci',
        mac,
        network: `10.${90 + i}.0`,
        ringSize: 128,
        open: (where, { small = false, pool } = {}) =>
          VirtioNet.open(where, {
            bind: true,
            without,
            ...(small && { rxFrames: 4, txFrames: 4 }),
            ...(pool && { pool }),
          }),
      },
      (nic, wire) => {
        it('agreed on what it must', () => {
          const { features } = nic();
          for (const feature of [Feature.VERSION_1, Feature.ACCESS_PLATFORM, Feature.MAC, Feature.STATUS])
            assert.ok(features.has(feature), `feature ${feature}`);
          assert.equal(features.has(Feature.RING_PACKED), packed);
          assert.equal(features.has(Feature.EVENT_IDX), eventIdx);
        });

        it('learns of the link by the interrupt of the configuration', async () => {
          assert.deepEqual(nic().link, { up: true, speed: 10_000, fullDuplex: true });
          const { config } = nic().interrupts;
          const before = config.total;
          using monitor = await Monitor.connect();
          const set = (up: boolean): Promise<unknown> =>
            monitor.execute('set_link', { name: `card-port${parseInt(address.slice(5, 7), 16)}`, up });
          const down = config.wait({ timeoutMs: 60_000 });
          await set(false);
          await down;
          assert.equal(nic().link.up, false);
          await assert.rejects(nic().waitForLink({ timeoutMs: 20 }), /No link after 20 ms/);
          const waiting = nic().waitForLink({ timeoutMs: 60_000 });
          await set(true);
          assert.equal((await waiting).up, true);
          assert.ok(config.total >= before + 2);
        });

        it('announces sent frames by the transmit vector, when asked', async () => {
          const burst = new Burst(nic().pool.arena, 1);
          const { tx } = nic().interrupts;
          nic().tx.arm();
          const announced = tx.wait({ timeoutMs: 60_000 });
          wire().fill(burst, nic(), 0, 1);
          nic().txBurst(burst, 1);
          await announced;
          nic().txBurst(burst, 0);
          assert.equal(nic().tx.inFlight, 0);
        });

        it('sleeps when it is told to and wakes once for a frame', async () => {
          const source = nic();
          wire().send(payloadOf(1));
          await receive(source, source, all => all.length === 1);
          const before = source.rxVector.total;
          source.disarmRxInterrupt();
          wire().send(payloadOf(2));
          while (!source.rxPending) await new Promise(resolve => setImmediate(resolve));
          assert.equal(source.rxVector.total, before);
          const { received } = await receive(source, source, all => all.length === 1);
          assert.ok(received[0]?.payload.equals(payloadOf(2)));
        });
      },
    );

    it('refuses queues that the device or the layout cannot have', async () => {
      for (const rxFrames of [2, 100, 4096]) {
        await assert.rejects(VirtioNet.open(address, { bind: true, rxFrames }), {
          name: 'RangeError',
          message: new RegExp(`power of two .* not ${rxFrames}\\.`),
        });
      }
    });
  });
}
