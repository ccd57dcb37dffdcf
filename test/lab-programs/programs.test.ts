/**
 * The programs on top of the drivers, run as a user would, with the kernel's NIC and UDP sockets at the other end: what arrives
 * is compared byte by byte and in order.
 */
import assert from 'node:assert/strict';
import { type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { StopFlag } from 'vfio/kit';
import { fillByte, PAYLOAD } from '../../examples/generator/udp-frame.js';
import { runOrThrow } from '../../examples/ping/demo/command.js';
import { interfacesOf } from '../../examples/ping/demo/interfaces.js';
import { Peer } from '../../examples/ping/demo/peer.js';
import { devices } from '../../lab/devices.js';
import { readPcapng } from '../support/pcapng.js';
import { inLab, leavesMachineAsItWas, peerName, start } from '../lab/examples/support.js';
import { bindSocket, datagrams, setNeighbour } from '../lab/support/udp.js';
import { goRound } from './go-round.js';

const OUR_IP = '10.82.0.2';
const PEER_IP = '10.82.0.1';
const OUR_MAC = '52:54:00:00:00:01';
const PEER_MAC = '52:54:00:00:00:02';
const PORT = 9000;
const COUNT = 200;

describe('examples: programs for NICs', function () {
  this.timeout(120_000);
  leavesMachineAsItWas();

  describe('with the kernel as the peer', () => {
    let peer: Peer;
    let socket: Socket;

    beforeEach(async () => {
      peer = await Peer.take(peerName(), `${PEER_IP}/24`);
      socket = await bindSocket(PORT, PEER_IP);
      await setNeighbour(peer.name, OUR_IP, OUR_MAC);
    });
    afterEach(async () => {
      if (!inLab) return;
      socket.close();
      await peer.restore();
    });

    /** A payload that depends on its number, of a size that does, too. */
    const payloadOf = (n: number): Buffer =>
      Buffer.from(Uint8Array.from({ length: 20 + ((n * 379) % 1400) }, (_, i) => (n * 31 + i * 7) & 0xff));

    async function sendNumbered(count: number): Promise<void> {
      for (let n = 0; n < count; n++) {
        socket.send(payloadOf(n), PORT, OUR_IP);
        if (n % 20 === 19) await sleep(10);
      }
    }

    const peerLink = (): Promise<void> => peer.waitForLink(20_000, new AbortController().signal);

    it('generator: all frames arrive, in order, as they should be', async () => {
      const got: Buffer[] = [];
      socket.on('message', message => got.push(message));
      const size = 200;
      const count = 1000;
      const generator = start(
        'examples/generator/main.js',
        devices.nicA,
        ...['--mac', PEER_MAC, '--from', OUR_IP, '--to', PEER_IP],
        ...['--size', String(size), '--count', String(count), '--rate', '1000'],
      );
      const { code, stdout, stderr } = await generator.ended;
      assert.equal(stderr, '');
      assert.match(stdout, /^1000 frames of 200 bytes sent in [\d.]+ s, \d+ per second/);
      assert.equal(code, 0);
      for (let waited = 0; got.length < count && waited < 200; waited++) await sleep(10);
      // The kernel may notice its carrier after we noticed ours: what came before is lost.
      const first = got[0]?.readUInt32BE(0) ?? assert.fail('nothing arrived');
      assert(first < count - 100, `the first to arrive is number ${first}`);
      assert.equal(got.length, count - first);
      for (const [i, message] of got.entries()) {
        assert.equal(message.readUInt32BE(0), first + i);
        assert.equal(message.length, size - PAYLOAD);
        assert(message.subarray(4).every((byte, j) => byte === fillByte(j + 4)));
      }
    });

    it('receiver: counts what the kernel sent', async () => {
      const receiver = start('examples/receiver/main.js', devices.nicA);
      await receiver.says(/receiving/);
      await peerLink();
      await sendNumbered(COUNT);
      await sleep(200);
      receiver.kill('SIGINT');
      const { code, stdout, stderr } = await receiver.ended;
      assert.equal(stderr, '');
      assert.match(stdout, new RegExp(`udp +${COUNT} frames`));
      assert.match(stdout, /0 errors, 0 missed; slept \d+ times/);
      assert.equal(code, 0);
    });

    for (const [how, ...options] of [
      ['asleep while there is nothing to do'],
      ['polling in a worker of its own', '--busy'],
    ] as const) {
      it(`forwarder with one port, ${how}: sends every datagram back, in order, unchanged`, async () => {
        const forwarder = start('examples/forwarder/main.js', devices.nicA, '--echo', ...options);
        await forwarder.says(/forwarding/);
        await peerLink();
        const arriving = datagrams(socket, COUNT, 30_000);
        await sendNumbered(COUNT);
        for (const [n, message] of (await arriving).entries()) {
          assert(message.equals(payloadOf(n)), `datagram ${n}`);
        }
        forwarder.kill('SIGINT');
        const { code, stdout, stderr } = await forwarder.ended;
        assert.equal(stderr, '');
        assert(Number(/(\d+) frames forwarded from 0000:01:00\.0/.exec(stdout)?.[1]) >= COUNT, stdout);
        assert.equal(code, 0);
      });
    }

    it('capture: the file holds every frame, in order', async () => {
      const directory = mkdtempSync(path.join(os.tmpdir(), 'vfio-capture-'));
      try {
        const file = path.join(directory, 'frames.pcapng');
        const capture = start('examples/capture/main.js', devices.nicA, file);
        await capture.says(/capturing/);
        await peerLink();
        const before = Date.now();
        await sendNumbered(COUNT);
        await sleep(200);
        capture.kill('SIGINT');
        const { code, stdout, stderr } = await capture.ended;
        assert.equal(stderr, '');
        assert.match(stdout, /\d+ frames captured, 0 dropped, 0 missed/);
        assert.equal(code, 0);

        const { interfaceName, linkType, packets } = readPcapng(readFileSync(file));
        assert.deepEqual([interfaceName, linkType], ['0000:01:00.0', 1]);
        const ours = packets.filter(({ data }) => data.readUInt16BE(12) === 0x0800 && data[23] === 17);
        const payloads = ours
          .filter(({ data }) => data.readUInt16BE(36) === PORT)
          .map(({ data }) => data.subarray(PAYLOAD, 14 + data.readUInt16BE(16)));
        assert.equal(payloads.length, COUNT);
        for (const [n, payload] of payloads.entries()) assert(payload.equals(payloadOf(n)), `frame ${n}`);
        const times = packets.map(({ milliseconds }) => milliseconds);
        assert.deepEqual(
          times,
          [...times].sort((a, b) => a - b),
        );
        assert((times.at(-1) ?? 0) > before - 1000 && (times.at(-1) ?? 0) < Date.now() + 1000);
      } finally {
        rmSync(directory, { recursive: true });
      }
    });
  });

  describe('forwarder with two ports: frames go round between them, in order and whole', () => {
    // The two ports are wired to each other, so what one forwards the other receives, for ever.
    beforeEach(async () => {
      for (const address of [devices.nicA, devices.nicB]) {
        for (const name of interfacesOf(address)) await runOrThrow('ip', ['link', 'set', name, 'down']);
      }
    });

    it('asleep while there is nothing to do', async () => {
      await goRound(async (forwarder, isEnough) => {
        const stop = new AbortController();
        const running = forwarder.run(stop.signal);
        while (!isEnough()) await sleep(20);
        stop.abort();
        await running;
      });
    });

    it('polling in a worker of its own, until this thread stops it', async () => {
      const flag = new StopFlag();
      const worker = new Worker(path.join(__dirname, 'busy-round.js'), { workerData: flag.buffer });
      worker.once('message', () => flag.stop());
      assert.deepEqual(await once(worker, 'exit'), [0]);
    });
  });
});
