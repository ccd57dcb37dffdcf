/** Programs that were made without these NICs in mind, run as a user would. */
import assert from 'node:assert/strict';
import { fillByte, PAYLOAD } from '../../../examples/generator/udp-frame.js';
import { formatMacAddress } from '../../../examples/nic/mac.js';
import { nicDevices } from '../../../lab/devices.js';
import { needs } from '../../support/needs.js';
import { endPrograms, start } from '../examples/support.js';
import { labSuite } from '../support/suite.js';
import { flowsOf, QUEUES, roundTrips } from './queue-threads.js';
import { queueFor } from './rss.js';
import { payloadOf, PORT, Wire } from './wire.js';

const COUNT = 100;
const IGB_MAC = '52:54:00:00:00:24';

labSuite('examples/nic: programs on other NICs', () => {
  needs({ profile: 'nics' });
  afterEach(endPrograms);

  for (const [kind, address, mac] of [
    ['split queues', nicDevices.virtio, '52:54:00:00:00:21'],
    ['packed queues', nicDevices.virtioPacked, '52:54:00:00:00:23'],
  ] as const) {
    it(`receiver on virtio-net with ${kind}: counts what the kernel sent`, async () => {
      await using wire = await Wire.take(nicDevices.virtioPeer, '10.104.0');
      const receiver = start('examples/receiver/main.js', address, '--count', String(COUNT));
      await receiver.says(/receiving/);
      await wire.waitForPeer();
      await wire.setNeighbour(wire.ourIp, mac);
      // A frame that the kernel sends by itself counts, too.
      for (let n = 0; n < COUNT; n++) wire.send(payloadOf(n));
      const { code, stdout, stderr } = await receiver.ended;
      assert.equal(stderr, '');
      const [, datagrams = 0] = /udp +(\d+) frames/.exec(stdout) ?? [];
      assert.ok(Number(datagrams) > COUNT / 2, stdout);
      assert.match(stdout, new RegExp(`^${COUNT} frames, 0 errors, 0 missed; slept \\d+ times`, 'm'));
      assert.equal(code, 0);
    });
  }

  it('generator on igb: all frames arrive, in order, as they should be', async () => {
    await using wire = await Wire.take(nicDevices.igbPeer, '10.105.0');
    const size = 200;
    const arrived = wire.datagrams(COUNT);
    const generator = start(
      'examples/generator/main.js',
      nicDevices.igb,
      ...['--mac', formatMacAddress(wire.peerMac), '--from', wire.ourIp, '--to', wire.peerIp],
      ...['--port', String(PORT), '--size', String(size), '--rate', '500'],
    );
    const messages = await arrived;
    generator.kill('SIGINT');
    const { code, stderr } = await generator.ended;
    assert.equal(stderr, '');
    assert.equal(code, 0);
    // The kernel may notice its carrier after we noticed ours: what came before is lost.
    const first = messages[0]?.readUInt32BE(0) ?? assert.fail('nothing arrived');
    for (const [i, message] of messages.entries()) {
      assert.equal(message.readUInt32BE(0), first + i);
      assert.equal(message.length, size - PAYLOAD);
      assert.ok(message.subarray(4).every((byte, j) => byte === fillByte(j + 4)));
    }
  });

  it('receiver on igb with --queues: each thread counts what came to its queue, until it is enough', async () => {
    await using wire = await Wire.take(nicDevices.igbPeer, '10.107.0');
    const flows = flowsOf(wire);
    const args = ['--queues', String(QUEUES), '--count', String(COUNT)];
    const receiver = start('examples/receiver/main.js', nicDevices.igb, ...args);
    await receiver.says(/0000:04:00.0 52:54:00:00:00:24: receiving/);
    await wire.waitForPeer();
    await wire.setNeighbour(wire.ourIp, IGB_MAC);
    const expected = Array.from({ length: QUEUES }, () => 0);
    for (let n = 0; n < COUNT; n++) {
      const port = flows[n % flows.length] ?? 0;
      wire.send(payloadOf(n), port);
      const queue = queueFor(wire, port, QUEUES);
      expected[queue] = (expected[queue] ?? 0) + 1;
    }
    const { code, stdout, stderr } = await receiver.ended;
    assert.equal(stderr, '');
    assert.equal(code, 0);
    // A frame that the kernel sends by itself counts, too; it comes to the first.
    const [, datagrams] = /^udp +(\d+) frames/m.exec(stdout) ?? [];
    assert.ok(Number(datagrams) > COUNT / 2 && Number(datagrams) <= COUNT, stdout);
    const [, all] = /^(\d+) frames, 0 errors, 0 missed; slept \d+ times/m.exec(stdout) ?? [];
    assert.ok(Number(all) >= COUNT, stdout);
    const frames = [...stdout.matchAll(/^queue \d+: (\d+) frames, slept \d+ times/gm)].map(([, n]) =>
      Number(n),
    );
    assert.equal(
      frames.reduce((sum, n) => sum + n, 0),
      Number(all),
    );
    assert.ok(
      frames.every((n, queue) => n > 0 && (queue === 0 || n <= (expected[queue] ?? 0))),
      stdout,
    );
  });

  for (const busy of [[], ['--busy']]) {
    it(`forwarder on igb with --echo --queues ${busy.join()}: all threads send back`, async () => {
      await using wire = await Wire.take(nicDevices.igbPeer, '10.109.0');
      const queues = busy.length > 0 ? 2 : QUEUES;
      const args = ['--echo', '--queues', String(queues), ...busy];
      const forwarder = start('examples/forwarder/main.js', nicDevices.igb, ...args);
      await forwarder.says(/forwarding 0000:04:00.0 back to where it comes from/);
      await wire.waitForPeer();
      await wire.setNeighbour(wire.ourIp, IGB_MAC);
      const flows = flowsOf(wire);
      await roundTrips(wire, flows, 5 * flows.length);
      forwarder.kill('SIGINT');
      const { code, stdout, stderr } = await forwarder.ended;
      assert.equal(stderr, '');
      assert.equal(code, 0);
      const frames = [...stdout.matchAll(/^queue \d+: (\d+) frames/gm)].map(([, n]) => Number(n));
      assert.ok(frames.length === queues && frames.every(n => n > 0), stdout);
      const [, all] = /^(\d+) frames forwarded/m.exec(stdout) ?? [];
      assert.ok(Number(all) >= 5 * flows.length, stdout);
    });
  }

  it('programs say which NICs have no queues to share', async () => {
    const { code, stderr } = await start('examples/receiver/main.js', nicDevices.virtio, '--queues', '2')
      .ended;
    assert.equal(code, 1);
    assert.match(stderr, /1af4:1041; threads for its queues are there only for the Intel 82576/);
  });
});
