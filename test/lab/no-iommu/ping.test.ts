import assert from 'node:assert/strict';
import { Peer } from '../../../examples/ping/demo/peer.js';
import { ping } from '../../../examples/ping/demo/ping.js';
import { devices } from '../../../lab/devices.js';
import { needs } from '../../support/needs.js';
import { endPrograms, peerName, start } from '../examples/support.js';
import { labSuite } from '../support/suite.js';
import { parameter, withParameter } from '../support/sysfs.js';

labSuite('examples/ping without an IOMMU', () => {
  needs({ profile: 'no-iommu', devices: [devices.nicA, devices.nicB] });
  withParameter(parameter.hugePages2M, '8');
  afterEach(endPrograms);

  it('answers small and full-size pings by MSI-X interrupts, as with one', async () => {
    const main = start('examples/ping/main.js', devices.nicA, '10.82.0.2', '--no-iommu');
    await main.says(/1000 Mb\/s, answering for 10\.82\.0\.2/);
    const peer = await Peer.take(peerName(), '10.82.0.1/24');
    try {
      await peer.waitForLink(20_000, new AbortController().signal);
      for (const payload of [56, 1472]) {
        const options = { target: '10.82.0.2', from: peer.name, count: 50, intervalSeconds: 0.05, payload };
        const { transmitted, received } = await ping(options);
        assert.deepEqual([transmitted, received], [50, 50]);
      }
    } finally {
      await peer.restore();
    }
    main.kill('SIGINT');
    const { code, stdout, stderr } = await main.ended;
    assert.match(stderr, /no-IOMMU mode: the device can reach all memory of this machine/);
    const [, pings, interrupts] =
      /(\d+) pings and \d+ ARP requests answered, (\d+) interrupts/.exec(stdout) ?? assert.fail(stdout);
    assert.equal(Number(pings), 100);
    assert(Number(interrupts) > 0);
    assert.equal(code, 0);
  });

  it('does not take such a NIC unless told to', async () => {
    const { code, stderr } = await start('examples/ping/main.js', devices.nicA, '10.82.0.2').ended;
    assert.match(stderr, /no IOMMU/);
    assert.equal(code, 1);
  });
});
