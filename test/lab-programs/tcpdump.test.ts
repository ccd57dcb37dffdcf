/** The programs on top of the drivers, with tcpdump at the kernel's NIC at the other end. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import dgram from 'node:dgram';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { packetBytes } from '../../examples/capture/pcapng.js';
import { fillByte, PAYLOAD } from '../../examples/generator/udp-frame.js';
import { checksum, pseudoHeaderSum } from '../../examples/ping/checksum.js';
import { runOrThrow } from '../../examples/ping/demo/command.js';
import { Peer } from '../../examples/ping/demo/peer.js';
import { devices } from '../../lab/devices.js';
import { leavesMachineAsItWas, peerName, start } from '../lab/examples/support.js';
import { readPcap } from '../support/pcap.js';
import { skip } from '../support/skip.js';

const OUR_IP = '10.83.0.2';
const PEER_IP = '10.83.0.1';
const OUR_MAC = '52:54:00:00:00:01';
const PEER_MAC = '52:54:00:00:00:02';
const PORT = '9001';
const FILTER = ['udp', 'and', 'port', PORT];
const COUNT = 300;

const tcpdump = ['/usr/bin/tcpdump', '/usr/sbin/tcpdump'].find(program => existsSync(program));

describe('examples: programs for NICs, seen by tcpdump', function () {
  this.timeout(120_000);
  leavesMachineAsItWas();
  before(function () {
    if (tcpdump === undefined) skip(this, 'there is no tcpdump: npm run test:programs installs it');
  });
  describe('at the other end of the cable', withTcpdump);
});

/** Waits, as long as the test may take. @param meanwhile is done again and again */
async function until(condition: () => boolean, meanwhile = () => Promise.resolve<unknown>(0)): Promise<void> {
  while (!condition()) {
    await meanwhile();
    await sleep(20);
  }
}

/** The number in the last frame of a file that is still being written, if it is whole. */
function numberOfLast(file: Buffer, size: number): number {
  return (file.length - 24) % (16 + size) === 0 ? file.readUInt32BE(file.length - size + PAYLOAD) : -1;
}

/** What the checksum of a datagram must be. */
function udpChecksum(frame: Buffer): number {
  const copy = Buffer.from(frame);
  copy.writeUInt16BE(pseudoHeaderSum(frame, 14, frame.length - 34), 40);
  return checksum(copy, 34, copy.length);
}

/** The kernel leaves UDP's checksum to its NIC, so that tcpdump sees it before it is there. */
function withoutChecksums(hex: string): string {
  return hex.replace(/^(\t0x0020: (?: [\da-f]{4}){4}) [\da-f]{4}/gm, '$1 ....');
}

/** What the tests set up is undone before the machine is looked at. */
function withTcpdump(): void {
  let directory: string;
  let peer: Peer;
  let watching: ChildProcess | undefined;

  beforeEach(async () => {
    directory = mkdtempSync(path.join(os.tmpdir(), 'vfio-tcpdump-'));
    peer = await Peer.take(peerName(), `${PEER_IP}/24`);
  });
  afterEach(async () => {
    watching?.kill('SIGKILL');
    watching = undefined;
    await peer.restore();
    rmSync(directory, { recursive: true });
  });

  /** Writes what passes the kernel's NIC to a file, from when this resolves until `end` is called. */
  async function watch(direction: 'in' | 'out', file: string): Promise<{ end(): Promise<void> }> {
    const options = ['-i', peer.name, '-Q', direction, '-s', '2048', '-B', '8192', '-U', '-n', '-Z', 'root'];
    const child = spawn(tcpdump ?? '', [...options, '-w', file, ...FILTER], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    watching = child;
    let said = '';
    await new Promise<void>((resolve, reject) => {
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        said += text;
        if (said.includes('listening on')) resolve();
      });
      child.on('error', reject);
      child.on('close', () => reject(new Error(`tcpdump ended: ${said}`)));
    });
    return {
      end: async () => {
        const closed = once(child, 'close');
        child.kill('SIGINT');
        await closed;
        assert.match(said, /\b0 packets dropped by kernel/);
      },
    };
  }

  const generates =
    (...options: string[]) =>
    async (): Promise<void> => {
      const file = path.join(directory, 'seen.pcap');
      const seeing = await watch('in', file);
      const size = 100;
      const generator = start(
        'examples/generator/main.js',
        devices.nicA,
        ...['--mac', PEER_MAC, '--from', OUR_IP, '--to', PEER_IP, '--port', PORT],
        ...['--size', String(size), '--count', '1000', '--rate', '500', ...options],
      );
      const { code, stderr } = await generator.ended;
      assert.deepEqual([code, stderr], [0, '']);
      await until(() => statSync(file).size > 24 && numberOfLast(readFileSync(file), size) === 999);
      await seeing.end();
      const frames = readPcap(readFileSync(file));
      // The kernel may notice its carrier after we noticed ours: what came before is lost.
      const first = frames[0]?.readUInt32BE(PAYLOAD) ?? assert.fail('tcpdump saw nothing');
      assert.equal(frames.length, 1000 - first);
      assert(first < 900, `the first is number ${first}`);
      const hex = (mac: string): string => mac.replaceAll(':', '');
      for (const [i, frame] of frames.entries()) {
        assert.equal(frame.length, size);
        assert.equal(frame.toString('hex', 0, 14), `${hex(PEER_MAC)}${hex(OUR_MAC)}0800`);
        assert.equal(frame.readUInt32BE(PAYLOAD), first + i);
        assert(frame.subarray(PAYLOAD + 4).every((byte, j) => byte === fillByte(j + 4)));
        assert.equal(checksum(frame, 14, 34), 0);
        assert.equal(frame.readUInt16BE(40), options.length === 0 ? 0 : udpChecksum(frame));
      }
    };
  it('generator: every frame is as it should be, byte by byte, in order', generates());
  it('generator: the same with checksums that the NIC writes', generates('--checksums'));

  it('capture: tcpdump reads the file, and in it what it saw leave the other NIC', async () => {
    const [sent, captured] = ['sent.pcap', 'captured.pcapng'].map(name => path.join(directory, name)) as [
      string,
      string,
    ];
    await runOrThrow('ip', [
      ...['neigh', 'replace', OUR_IP, 'lladdr', OUR_MAC, 'dev', peer.name, 'nud', 'permanent'],
    ]);
    const capture = start('examples/capture/main.js', devices.nicA, captured);
    await capture.says(/capturing/);
    await peer.waitForLink(20_000, new AbortController().signal);
    const seeing = await watch('out', sent);
    const socket = dgram.createSocket('udp4');
    const send = (payload: Buffer, port: number): Promise<unknown> =>
      new Promise(resolve => socket.send(payload, port, OUR_IP, resolve));
    const payloads = Array.from({ length: COUNT }, (_, n) => Buffer.alloc(20 + ((n * 379) % 1400), n));
    for (const [n, payload] of payloads.entries()) {
      await send(payload, Number(PORT));
      if (n % 20 === 19) await sleep(10);
    }
    const bytes = (each: (frame: number) => number): number =>
      payloads.reduce((sum, payload) => sum + each(PAYLOAD + payload.length), 0);
    await until(() => statSync(sent).size === 24 + bytes(frame => 16 + frame));
    // Whatever else comes makes the program write what it has.
    await until(
      () => statSync(captured).size > bytes(packetBytes),
      () => send(Buffer.alloc(20), Number(PORT) + 1),
    );
    socket.close();
    await seeing.end();
    capture.kill('SIGINT');
    const { code, stderr } = await capture.ended;
    assert.deepEqual([code, stderr], [0, '']);
    const read = (file: string, format: string): Promise<string> =>
      runOrThrow(tcpdump ?? '', ['-r', file, '-n', '-t', format, ...FILTER]);
    const bytesOf = async (file: string): Promise<string> => withoutChecksums(await read(file, '-xx'));
    assert.equal(await bytesOf(captured), await bytesOf(sent));
    const inWords = await read(captured, '-vv');
    assert.equal(inWords.match(/\[udp sum ok\] UDP, length/g)?.length, COUNT);
  });
}
