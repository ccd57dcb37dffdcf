/** Programs that were made without these NICs in mind, run as a user would. */
import assert from 'node:assert/strict';
import { Burst } from 'vfio/kit';
import { fillByte, PAYLOAD } from '../../../examples/generator/udp-frame.js';
import { Igb } from '../../../examples/igb/igb.js';
import { formatMacAddress } from '../../../examples/nic/mac.js';
import { run } from '../../../examples/ping/demo/command.js';
import { deviceOf, interfacesOf } from '../../../examples/ping/demo/interfaces.js';
import { parsePing } from '../../../examples/ping/demo/ping.js';
import { nicDevices } from '../../../lab/devices.js';
import { needs } from '../../support/needs.js';
import { endPrograms, start } from '../examples/support.js';
import { labSuite } from '../support/suite.js';
import { flowsOf, QUEUES, roundTrips } from './queue-threads.js';
import { queueFor } from './rss.js';
import { payloadOf, PORT, receive, Wire } from './wire.js';

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

  for (const [kind, address, ...options] of [
    ['split queues, asleep while there is nothing to do', nicDevices.virtio],
    ['packed queues, polling in a worker of its own', nicDevices.virtioPacked, '--busy'],
  ] as const) {
    it(`forwarder between virtio-net and igb: ${kind}`, async () => {
      await using wire = await Wire.take(nicDevices.virtioPeer, '10.107.0');
      const forwarder = start('examples/forwarder/main.js', address, nicDevices.igb, ...options);
      await forwarder.says(/forwarding/);
      {
        // Behind the forwarder is a driver of ours, so that nothing but it connects the two wires.
        await using far = await Igb.open(nicDevices.igbPeer, { bind: true });
        await wire.connect(far);

        const there = receive(far, far, all => all.length === COUNT);
        for (let n = 0; n < COUNT; n++) wire.send(payloadOf(n));
        for (const [n, { payload }] of (await there).received.entries())
          assert.ok(payload.equals(payloadOf(n)), `datagram ${n}`);

        const burst = new Burst(far.pool.arena, COUNT);
        const back = wire.datagrams(COUNT);
        wire.fill(burst, far, COUNT, COUNT);
        assert.equal(far.txBurst(burst, COUNT), COUNT);
        for (const [n, message] of (await back).entries())
          assert.ok(message.equals(payloadOf(COUNT + n)), `datagram ${n} back`);
      }
      forwarder.kill('SIGINT');
      const { code, stdout, stderr } = await forwarder.ended;
      assert.equal(stderr, '');
      const counts = /(\d+) frames forwarded from \S+, (\d+) from/.exec(stdout) ?? assert.fail(stdout);
      assert.ok(Number(counts[1]) >= COUNT && Number(counts[2]) >= COUNT, stdout);
      assert.equal(code, 0);
    });
  }

  it('ping on virtio-net: answers every ping', async () => {
    await using wire = await Wire.take(nicDevices.virtioPeer, '10.108.0');
    const pinged = start('examples/ping/main.js', nicDevices.virtio, wire.ourIp);
    await pinged.says(/answering for 10\.108\.0\.2/);
    await wire.waitForPeer();
    // It waits for late answers, for a slow machine is not a loss.
    const options = ['-n', '-c', '10', '-i', '0.05', '-W', '60', '-I', wire.peer.name];
    const { transmitted, received, duplicates, corrupted } =
      parsePing((await run('ping', [...options, wire.ourIp])).stdout) ?? assert.fail();
    assert.deepEqual([transmitted, received, duplicates, corrupted], [10, 10, 0, 0]);
    pinged.kill('SIGINT');
    const { code, stdout, stderr } = await pinged.ended;
    assert.equal(stderr, '');
    assert.match(stdout, /^10 pings and \d+ ARP requests answered/m);
    assert.equal(code, 0);
  });

  it('finds the interfaces of NICs, and the NICs of interfaces, whatever is between the two', () => {
    for (const address of Object.values(nicDevices)) {
      const [name, ...more] = interfacesOf(address);
      assert.deepEqual(more, []);
      assert.equal(deviceOf(name ?? assert.fail(`${address} has no interface`)), address);
    }
    assert.deepEqual(interfacesOf('0000:1f:1f.7'), []);
  });

  it('says so when a driver cannot do without an IOMMU', async () => {
    const args = [nicDevices.virtio, '10.108.0.2', '--no-iommu'];
    const { code, stderr } = await start('examples/ping/main.js', ...args).ended;
    assert.match(stderr, /0000:01:00\.0: only the driver for Intel 82574L .* does without an IOMMU/);
    assert.equal(code, 1);
  });

  it('generator on virtio-net: ends when all is sent', async () => {
    await using wire = await Wire.take(nicDevices.virtioPeer, '10.106.0');
    await wire.waitForPeer();
    const arrived = wire.datagrams(COUNT);
    const { code, stdout, stderr } = await start(
      'examples/generator/main.js',
      nicDevices.virtio,
      ...['--mac', formatMacAddress(wire.peerMac), '--from', wire.ourIp, '--to', wire.peerIp],
      ...['--port', String(PORT), '--count', String(COUNT)],
    ).ended;
    assert.equal(stderr, '');
    assert.match(stdout, new RegExp(`^${COUNT} frames of 60 bytes sent`));
    assert.equal(code, 0);
    for (const [n, message] of (await arrived).entries()) assert.equal(message.readUInt32BE(0), n);
  });

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
