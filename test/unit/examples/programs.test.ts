/** The parts of the programs for NICs that need none: the programs themselves run in test/lab/examples. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileHeader, packetBytes, writePacket } from '../../../examples/capture/pcapng.js';
import { echoEdits } from '../../../examples/forwarder/l2-forwarder.js';
import { MIN_FRAME, PAYLOAD, writeHeaders, writeNumber } from '../../../examples/generator/udp-frame.js';
import { formatMacAddress, parseMac } from '../../../examples/nic/mac.js';
import { parseCount } from '../../../examples/nic/program.js';
import { checksum } from '../../../examples/ping/checksum.js';
import { FrameCounters } from '../../../examples/receiver/counters.js';
import { readPcapng } from '../../support/pcapng.js';

const flow = {
  sourceMac: Uint8Array.of(2, 0, 0, 0, 0, 1),
  targetMac: Uint8Array.of(2, 0, 0, 0, 0, 2),
  sourceIp: Uint8Array.of(10, 0, 0, 1),
  targetIp: Uint8Array.of(10, 0, 0, 2),
  sourcePort: 1000,
  targetPort: 2000,
};

describe('examples: parts of the programs', () => {
  it('capture files hold what was written, of any length', () => {
    const memory = Uint8Array.from({ length: 4096 }, (_, i) => i & 0xff);
    const file = Buffer.alloc(65536, 0xee);
    let at = 0;
    const lengths = [0, 1, 14, 59, 60, 61, 1514];
    const [seconds, nanoseconds] = [1_700_000_000n, 123_456_789n];
    const time = seconds * 1_000_000_000n + nanoseconds;
    for (const length of lengths) {
      const next = writePacket(
        file,
        at,
        memory,
        100,
        length,
        Number(time >> 32n),
        Number(time & 0xffffffffn),
      );
      assert.equal(next - at, packetBytes(length));
      at = next;
    }
    const whole = Buffer.concat([fileHeader('0000:03:00.0', 65535), file.subarray(0, at)]);
    const { interfaceName, linkType, packets } = readPcapng(whole);
    assert.deepEqual([interfaceName, linkType], ['0000:03:00.0', 1]);
    assert.deepEqual(
      packets.map(({ data }) => data.length),
      lengths,
    );
    for (const { data, milliseconds } of packets) {
      assert(data.every((byte, i) => byte === ((100 + i) & 0xff)));
      assert.equal(Math.floor(milliseconds), 1_700_000_000_123);
    }
  });

  it('generated frames are datagrams with intact headers', () => {
    const frame = new Uint8Array(2048).fill(0xaa);
    writeHeaders(frame, 300, flow);
    writeNumber(frame, 0, 0xfedcba98);
    assert.equal(checksum(frame, 14, 34), 0);
    const view = Buffer.from(frame);
    assert.deepEqual(
      [view.readUInt16BE(16), view.readUInt16BE(34), view.readUInt16BE(36), view.readUInt16BE(38)],
      [286, 1000, 2000, 266],
    );
    assert.equal(view.readUInt32BE(PAYLOAD), 0xfedcba98);
    assert(MIN_FRAME <= 60);
  });

  it('the echo exchanges both ends and leaves the checksum right', () => {
    const frame = new Uint8Array(300);
    writeHeaders(frame, 300, flow);
    for (const edit of echoEdits) {
      assert(edit.kind === 'swap');
      const first = frame.slice(edit.at, edit.at + edit.length);
      frame.copyWithin(edit.at, edit.with, edit.with + edit.length);
      frame.set(first, edit.with);
    }
    const expected = new Uint8Array(300);
    writeHeaders(expected, 300, {
      ...{ sourceMac: flow.targetMac, targetMac: flow.sourceMac },
      ...{ sourceIp: flow.targetIp, targetIp: flow.sourceIp },
      ...{ sourcePort: flow.targetPort, targetPort: flow.sourcePort },
    });
    assert.deepEqual(frame, expected);
  });

  it('frames are counted by kind, also those too short to have one', () => {
    const memory = new Uint8Array(4096);
    const counters = new FrameCounters();
    const add = (type: number, protocol: number, length: number): void => {
      memory[512 + 12] = type >> 8;
      memory[512 + 13] = type;
      memory[512 + 23] = protocol;
      counters.add(memory, 512, length);
    };
    add(0x0806, 0, 42);
    add(0x0800, 17, 60);
    add(0x0800, 17, 100);
    add(0x0800, 6, 60);
    add(0x0800, 1, 60);
    add(0x0800, 17, 33);
    add(0x86dd, 0, 60);
    add(0x88b5, 0, 60);
    add(0x0800, 17, 13);
    const { arp, udp, tcp, icmp, ipv6, other } = counters.frames;
    assert.deepEqual(
      [arp, udp, tcp, icmp, ipv6, other, counters.frames['other-ipv4']],
      [1, 2, 1, 1, 1, 2, 1],
    );
    const sum = new FrameCounters();
    assert.deepEqual([sum.addAll(counters), sum.addAll(counters), sum.totalFrames], [9, 9, 18]);
    assert.equal(sum.bytes.udp, 2 * counters.bytes.udp);
    assert.equal(counters.bytes.udp, 160);
    assert.equal(counters.totalFrames, 9);
    assert.match(counters.toString(), /^arp +1 frames, 42 bytes\nicmp /);
  });

  describe('command lines that cannot be are refused, with the reason', () => {
    const ends = ['--mac', '02:00:00:00:00:01', '--from', '10.0.0.2', '--to', '10.0.0.1'];
    const cases: [script: string, args: string[], message: RegExp][] = [
      ['generator', ['03:00.0'], /^usage: .*--mac/],
      ['generator', ['03:00.0', ...ends.with(1, 'x')], /'x' is not an Ethernet address/],
      [
        'generator',
        ['03:00.0', ...ends, '--size', '10'],
        /--size must be a number from 46 to 1514; got '10'/,
      ],
      ['receiver', [], /^usage/],
      ['receiver', ['ffff:ff:1f.7'], /no PCI device ffff:ff:1f\.7/],
      ['receiver', ['03:00.0', '--count', '0'], /--count must be a number from 1/],
      ['receiver', ['03:00.0', '--loud'], /--loud/],
      ['forwarder', ['03:00.0'], /^usage/],
      ['capture', ['03:00.0'], /^usage/],
    ];
    for (const [script, args, message] of cases) {
      it([script, ...args].join(' '), () => {
        const file = path.join(__dirname, '../../../examples', script, 'main.js');
        const { status, stderr } = spawnSync(process.execPath, [file, ...args], { encoding: 'utf8' });
        assert.match(stderr, message);
        assert.equal(status, 1);
      });
    }
  });

  it('command lines: addresses and numbers, and nothing else', () => {
    assert.deepEqual(parseMac('52:54:00:AB:cd:01'), Uint8Array.of(0x52, 0x54, 0, 0xab, 0xcd, 1));
    assert.equal(formatMacAddress(parseMac('52:54:00:ab:cd:01')), '52:54:00:ab:cd:01');
    for (const text of ['', '52:54:00:00:00', '52-54-00-00-00-01', '52:54:00:00:00:0g']) {
      assert.throws(() => parseMac(text), /is not an Ethernet address/);
    }
    assert.equal(parseCount('17', '--count', 1, 20), 17);
    for (const text of ['', '0', '21', '1.5', '-1', '1e1']) {
      assert.throws(() => parseCount(text, '--count', 1, 20), /--count must be a number from 1 to 20; got/);
    }
  });
});
