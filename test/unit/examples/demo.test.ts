import assert from 'node:assert/strict';
import { parseArguments } from '../../../examples/ping/demo/arguments.js';
import { countInterrupts } from '../../../examples/ping/demo/kernel-interrupts.js';
import { parsePing, type PingStatistics } from '../../../examples/ping/demo/ping.js';
import { describe as describeReport, type Report, shortcomings } from '../../../examples/ping/demo/report.js';

const NONE = { address: '0000:03:00.0', peer: 'none', ip: undefined, force: false };

describe('examples/ping demo: arguments', () => {
  it('understands an address alone, in both spellings', () => {
    assert.deepEqual(parseArguments(['0000:03:00.0']), NONE);
    assert.deepEqual(parseArguments(['03:00.0']), NONE);
  });

  it('understands --peer with and without a name, before and after the address', () => {
    const find = { ...NONE, peer: 'find' };
    const named = { ...NONE, peer: { name: 'eth1' } };
    assert.deepEqual(parseArguments(['03:00.0', '--peer']), find);
    assert.deepEqual(parseArguments(['--peer', '03:00.0']), find);
    assert.deepEqual(parseArguments(['03:00.0', '--peer', '--force']), { ...find, force: true });
    assert.deepEqual(parseArguments(['03:00.0', '--peer', 'eth1']), named);
    assert.deepEqual(parseArguments(['--peer', 'eth1', '03:00.0']), named);
    assert.deepEqual(parseArguments(['--peer=eth1', '03:00.0']), named);
  });

  it('understands --ip', () => {
    const ip = Uint8Array.of(192, 168, 9, 7);
    assert.deepEqual(parseArguments(['03:00.0', '--ip', '192.168.9.7']), { ...NONE, ip });
    assert.deepEqual(parseArguments(['--ip=192.168.9.7', '03:00.0']), { ...NONE, ip });
  });

  it('understands a cry for help, whatever else is there', () => {
    for (const argv of [['--help'], ['-h'], ['03:00.0', '--help']])
      assert.equal(parseArguments(argv), 'help');
  });

  const bad: [argv: string[], message: RegExp][] = [
    [[], /PCI address of the NIC is missing/],
    [[''], /'' is not a PCI address/],
    [['eth0'], /'eth0' is not a PCI address/],
    [['0000:03:00.8'], /'0000:03:00.8' is not a PCI address/],
    [['03:00.0', '04:00.0'], /One PCI address is enough: 0000:03:00.0 and 04:00.0/],
    [['03:00.0', '--speed'], /no option --speed/],
    [['03:00.0', '-x'], /no option -x/],
    [['03:00.0', '--ip'], /--ip needs an address/],
    [['03:00.0', '--ip', '--peer'], /--ip needs an address/],
    [['03:00.0', '--ip', '10.0.0'], /'10.0.0' is not an IPv4 address/],
    [['03:00.0', '--ip='], /'' is not an IPv4 address/],
    [['03:00.0', '--ip', '127.0.0.1'], /127.0.0.1 cannot be the address of a host/],
    [['03:00.0', '--ip', '10.0.0.0'], /network's own or its broadcast/],
    [['03:00.0', '--ip', '10.0.0.255'], /network's own or its broadcast/],
    [['03:00.0', '--peer='], /'' cannot be the name/],
    [['03:00.0', '--peer', '../eth0'], /'..\/eth0' cannot be the name/],
    [['03:00.0', '--peer', 'a-name-that-is-too-long'], /cannot be the name/],
    [['03:00.0', '--peer', '--peer', 'eth1'], /--peer is given twice/],
    [['03:00.0', '--ip', '10.0.0.2', '--ip=10.0.0.3'], /--ip is given twice/],
    [['03:00.0', '--force=yes'], /--force takes no value/],
  ];
  for (const [argv, message] of bad) {
    it(`refuses '${argv.join(' ')}'`, () =>
      assert.throws(() => parseArguments(argv), { name: 'UsageError', message }));
  }
});

const PING = `PING 10.77.0.2 (10.77.0.2) from 10.77.0.1 eth1: 56(84) bytes of data.
64 bytes from 10.77.0.2: icmp_seq=1 ttl=64 time=2.15 ms

--- 10.77.0.2 ping statistics ---
50 packets transmitted, 50 received, 0% packet loss, time 2521ms
rtt min/avg/max/mdev = 0.321/0.554/2.150/0.301 ms
`;

describe("examples/ping demo: ping's output", () => {
  it('reads a clean run', () => {
    assert.deepEqual(parsePing(PING), {
      transmitted: 50,
      received: 50,
      duplicates: 0,
      corrupted: 0,
      loss: 0,
      rtt: { min: 0.321, avg: 0.554, max: 2.15 },
    });
  });

  it('reads losses, errors, duplicates and damage', () => {
    const text = `wrong data byte #20 should be 0x14 but was 0x15
--- 10.77.0.2 ping statistics ---
50 packets transmitted, 47 received, +2 duplicates, +1 errors, 6.25% packet loss, time 2521ms
rtt min/avg/max/mdev = 0.321/0.554/2.150/0.301 ms, pipe 2
`;
    const { transmitted, received, duplicates, corrupted, loss } = parsePing(text) ?? assert.fail();
    assert.deepEqual([transmitted, received, duplicates, corrupted, loss], [50, 47, 2, 1, 6.25]);
  });

  it('reads a run without any answer', () => {
    const text =
      '\n--- 10.77.0.2 ping statistics ---\n3 packets transmitted, 0 received, 100% packet loss, time 2030ms\n\n';
    const { received, loss, rtt } = parsePing(text) ?? assert.fail();
    assert.deepEqual([received, loss, rtt], [0, 100, undefined]);
  });

  it('finds no statistics in anything else', () => {
    assert.equal(parsePing(''), undefined);
    assert.equal(parsePing('ping: unknown iface eth9\n'), undefined);
  });
});

describe('examples/ping demo: /proc/interrupts', () => {
  const table = `           CPU0       CPU1
  0:          9          0   IO-APIC   2-edge      timer
 30:        101         20  IR-PCI-MSIX-0000:01:00.0   0-edge      vfio-msix[0](0000:01:00.0)
 31:          7          0  IR-PCI-MSIX-0000:01:00.0   1-edge      vfio-msix[1](0000:01:00.0)
NMI:          1          2   Non-maskable interrupts
`;
  it('adds up the columns of the processors', () => {
    assert.equal(countInterrupts(table, 'vfio-msix[0](0000:01:00.0)'), 121);
    assert.equal(countInterrupts(table, 'vfio-msix[1](0000:01:00.0)'), 7);
  });
  it('finds nothing for a vector that is not there', () => {
    assert.equal(countInterrupts(table, 'vfio-msix[0](0000:02:00.0)'), 0);
    assert.equal(countInterrupts('', 'vfio-msix[0](0000:02:00.0)'), 0);
  });
});

describe('examples/ping demo: report', () => {
  const clean: PingStatistics = parsePing(PING) ?? assert.fail();
  const good: Report = {
    address: '0000:01:00.0',
    mac: '52:54:00:00:00:01',
    ip: '10.77.0.2',
    link: { up: true, speed: 1000, fullDuplex: true },
    kernel: '6.1.0-1-amd64',
    group: 12,
    pings: [56, 1472].map(payload => ({ payload, statistics: clean })),
    echoReplies: 100,
    arpReplies: 1,
    framesReceived: 104,
    framesSent: 101,
    interrupts: 101,
    kernelInterrupts: 101,
    wakeups: 101,
    driverBefore: 'e1000e',
    driverAfter: 'e1000e',
  };

  it('finds nothing wrong with a good run, and says all that was asked for', () => {
    assert.deepEqual(shortcomings(good), []);
    const text = describeReport(good);
    for (const part of [
      '0000:01:00.0',
      '104 received, 101 sent',
      '101 by MSI-X',
      '6.1.0-1-amd64',
      'IOMMU group 12',
      '0 % loss',
    ]) {
      assert.ok(text.includes(part), `${part} in:\n${text}`);
    }
  });

  const lossy = { ...clean, received: 49, loss: 2 };
  const wrong: [what: string, change: Partial<Report>, message: RegExp][] = [
    [
      'a lost ping',
      { pings: [{ payload: 1472, statistics: lossy }] },
      /Of 50 pings with 1472 bytes, 1 stayed unanswered/,
    ],
    [
      'no ping at all',
      { pings: [{ payload: 56, statistics: { ...clean, transmitted: 0 } }] },
      /stayed unanswered/,
    ],
    [
      'a duplicate',
      { pings: [{ payload: 56, statistics: { ...clean, duplicates: 3 } }] },
      /3 pings .* more than once/,
    ],
    ['damage', { pings: [{ payload: 56, statistics: { ...clean, corrupted: 1 } }] }, /wrong contents/],
    ['answers that were not ours', { echoReplies: 99 }, /answered 99 pings, of at least 100/],
    ['no answer to the other end', { pings: [], echoReplies: 0 }, /answered 0 pings, of at least 1/],
    ['no interrupts', { interrupts: 0, wakeups: 0 }, /0 interrupts are too few/],
    ['polling', { interrupts: 40, wakeups: 40 }, /40 interrupts are too few for 100 pings/],
    [
      'interrupts nobody sent',
      { kernelInterrupts: 12 },
      /kernel counted 12 interrupts, the driver was woken 101/,
    ],
    ['a device not given back', { driverAfter: 'vfio-pci' }, /bound to e1000e and is now bound to vfio-pci/],
    ['a device without driver', { driverAfter: undefined }, /is now bound to none/],
  ];
  for (const [what, change, message] of wrong) {
    it(`notices ${what}`, () => {
      const found = shortcomings({ ...good, ...change });
      assert.ok(
        found.some(sentence => message.test(sentence)),
        found.join('\n'),
      );
    });
  }
});
