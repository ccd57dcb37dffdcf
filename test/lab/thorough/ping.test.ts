import assert from 'node:assert/strict';
import { runOrThrow } from '../../../examples/ping/demo/command.js';
import { interfacesOf } from '../../../examples/ping/demo/interfaces.js';
import { Peer } from '../../../examples/ping/demo/peer.js';
import { ping } from '../../../examples/ping/demo/ping.js';
import { runDemo } from '../../../examples/ping/demo/run.js';
import { devices } from '../../../lab/devices.js';
import { captured, inLab, isSetUp, leavesMachineAsItWas, peerName, start } from '../examples/support.js';

describe('examples/ping with a peer that is up', function () {
  this.timeout(60_000);
  leavesMachineAsItWas();

  // A link that stays up spares each test the seconds that the kernel takes to notice it.
  const peers = [devices.nicA, devices.nicB];
  before(() => setPeers('up'));
  after(() => setPeers('down'));

  async function setPeers(state: 'up' | 'down'): Promise<void> {
    if (!inLab) return;
    for (const name of peers.flatMap(interfacesOf)) await runOrThrow('ip', ['link', 'set', name, state]);
  }

  it('without a peer says what to ping, answers it, and succeeds by Ctrl-C', async () => {
    const demo = start('examples/ping/demo.js', devices.nicA, '--ip', '10.79.0.2');
    await demo.says(/ping 10\.79\.0\.2\. Ctrl-C ends this/);
    // Also how long ping waits for the last answer: long enough for a machine that is busy with other tests.
    await pingFrom('10.79.0', { count: 5, intervalSeconds: 0.2, payload: 56 });
    demo.kill('SIGINT');
    const { code, stdout, stderr } = await demo.ended;
    assert.equal(stderr, '');
    assert.match(stdout, /answered +5 pings/);
    assert.equal(code, 0);
  });

  it('as a plain program answers until Ctrl-C, a flood too', async () => {
    const main = start('examples/ping/main.js', devices.nicA, '10.80.0.2');
    await main.says(/1000 Mb\/s, answering for 10\.80\.0\.2/);
    await pingFrom('10.80.0', { count: 300, intervalSeconds: 0, payload: 1472 });
    main.kill('SIGINT');
    const { code, stdout, stderr } = await main.ended;
    assert.equal(stderr, '');
    assert.match(stdout, /300 pings and \d+ ARP requests answered, \d+ interrupts/);
    assert.equal(code, 0);
  });

  it('lets go of the NIC when the kernel wants it back', async () => {
    const main = start('examples/ping/main.js', devices.nicA, '10.80.0.2');
    await main.says(/answering for/);
    // The kernel waits for the device's user before this write returns.
    await runOrThrow('sh', ['-c', `echo ${devices.nicA} > /sys/bus/pci/drivers/vfio-pci/unbind`]);
    const { code, stderr } = await main.ended;
    assert.match(stderr, /0000:01:00\.0 was closed while it was answering/);
    assert.equal(code, 1);
  });

  /** Pings host 2 of a network from host 1, and expects every answer. */
  async function pingFrom(
    network: string,
    options: { count: number; intervalSeconds: number; payload: number },
  ): Promise<void> {
    const peer = await Peer.take(peerName(), `${network}.1/24`);
    try {
      await peer.waitForLink(10_000, new AbortController().signal);
      const { transmitted, received } = await ping({ target: `${network}.2`, from: peer.name, ...options });
      assert.deepEqual([transmitted, received], [options.count, options.count]);
    } finally {
      await peer.restore();
    }
  }

  it('refuses to take a NIC that the machine uses', async () => {
    const [name = assert.fail()] = interfacesOf(devices.nicA);
    const used = await Peer.take(name, '10.81.0.1/24');
    try {
      const { code, stderr } = await captured(() => runDemo([devices.nicA]));
      assert.match(
        stderr,
        new RegExp(`${name} \\(${devices.nicA}\\) is in use: it is up, with 10\\.81\\.0\\.1`),
      );
      assert.equal(code, 1);
    } finally {
      await used.restore();
    }
  });

  it('demonstrates itself on the other NIC, with names and addresses given, and ends by Ctrl-C', async () => {
    const [name = assert.fail()] = interfacesOf(devices.nicA);
    const wasUp = isSetUp(name);
    const demo = start('examples/ping/demo.js', devices.nicB, '--peer', name, '--ip', '192.168.99.1');
    await demo.says(/, the kernel's, is 192\.168\.99\.2/);
    demo.kill('SIGINT');
    const { code, stdout, stderr } = await demo.ended;
    assert.match(stdout, new RegExp(`${name} \\(${devices.nicA}\\), the kernel's, is 192\\.168\\.99\\.2`));
    assert.match(stderr, /ended by SIGINT, everything given back/);
    assert.equal(code, 130);
    assert.equal(isSetUp(name), wasUp);
  });
});
