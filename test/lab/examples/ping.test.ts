import assert from 'node:assert/strict';
import { runOrThrow } from '../../../examples/ping/demo/command.js';
import { interfacesOf } from '../../../examples/ping/demo/interfaces.js';
import { runDemo } from '../../../examples/ping/demo/run.js';
import { devices } from '../../../lab/devices.js';
import { captured, isSetUp, leavesMachineAsItWas, peerName, runProgram } from './support.js';

describe('examples/ping', function () {
  this.timeout(60_000);
  leavesMachineAsItWas();

  it('demonstrates itself as on hardware: no loss with small and full-size packets', async () => {
    const { code, stdout, stderr } = await runProgram('lab/demo.js', devices.nicA, '--peer');
    assert.equal(stderr, '');
    assert.match(stdout, /ping -s 56 +50 of 50 answered, 0 % loss/);
    assert.match(stdout, /ping -s 1472 +50 of 50 answered, 0 % loss/);
    assert.match(stdout, /answered +100 pings/);
    assert.match(stdout, /interrupts +\d{2,} by MSI-X/);
    assert.match(stdout, /Linux \d+\.\d+.*, IOMMU group \d+/);
    assert.match(stdout, /driver +e1000e again/);
    assert.match(stdout, /The demo succeeded\./);
    assert.equal(code, 0);
    assert.equal(isSetUp(peerName()), false, 'the peer is down again');
  });

  it('refuses what makes no sense, with the reason', async () => {
    const [own = assert.fail()] = interfacesOf(devices.nicA);
    const cases: [args: string[], message: RegExp, code: number][] = [
      [['--help'], /^$/, 0],
      [['eth0'], /'eth0' is not a PCI address/, 2],
      [[devices.nicA, '--loud'], /no option --loud/, 2],
      [['0000:1f:1f.7'], /no PCI device 0000:1f:1f\.7/, 1],
      [[devices.nvme], /0000:03:00\.0 is 1b36:0010; .* Intel 82574L/, 1],
      [[devices.nicA, '--peer', 'wlan7'], /no network interface 'wlan7'; there are: .*lo/, 1],
      [[devices.nicA, '--peer', own], /is the interface of 0000:01:00\.0 itself/, 1],
    ];
    for (const [args, message, expected] of cases) {
      const { code, stderr } = await captured(() => runDemo(args));
      assert.match(stderr, message);
      assert.equal(code, expected, args.join(' '));
    }
  });

  it('says so when there is no peer to be found', async () => {
    await runOrThrow('sh', [
      '-c',
      `echo ${devices.nicB} > /sys/bus/pci/devices/${devices.nicB}/driver/unbind`,
    ]);
    try {
      const { code, stderr } = await captured(() => runDemo([devices.nicA, '--peer']));
      assert.match(stderr, /No peer was found: the other 82574L is not with its kernel driver/);
      assert.equal(code, 1);
    } finally {
      await runOrThrow('sh', ['-c', `echo ${devices.nicB} > /sys/bus/pci/drivers_probe`]);
    }
  });
});
