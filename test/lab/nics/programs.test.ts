/** Programs that were made without these NICs in mind, run as a user would. */
import assert from 'node:assert/strict';
import { fillByte, PAYLOAD } from '../../../examples/generator/udp-frame.js';
import { formatMacAddress } from '../../../examples/nic/mac.js';
import { nicDevices } from '../../../lab/devices.js';
import { needs } from '../../support/needs.js';
import { endPrograms, start } from '../examples/support.js';
import { labSuite } from '../support/suite.js';
import { payloadOf, PORT, Wire } from './wire.js';

const COUNT = 100;

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
});
