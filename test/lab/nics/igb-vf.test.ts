import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { IgbVf } from '../../../examples/igb/vf/igb-vf.js';
import { runOrThrow } from '../../../examples/ping/demo/command.js';
import { interfacesOf } from '../../../examples/ping/demo/interfaces.js';
import { nicDevices } from '../../../lab/devices.js';
import { needs } from '../../support/needs.js';
import { labSuite, lastly } from '../support/suite.js';
import { testAnyNic } from './any-nic.js';
import { payloadOf, receive } from './wire.js';

const MAC = '52:54:00:00:00:26';

/** A virtual function of the igb that stays with the kernel's driver, which thereby is the other end of the mailbox. */
labSuite('examples/igb/vf: a virtual function', () => {
  needs({ profile: 'nics' });
  const device = `/sys/bus/pci/devices/${nicDevices.igb}`;
  let address = '';
  let physical = '';

  before('make a virtual function', async () => {
    physical = interfacesOf(nicDevices.igb)[0] ?? assert.fail('igb is not with its kernel driver');
    await runOrThrow('ip', ['link', 'set', physical, 'up']);
    fs.writeFileSync(`${device}/sriov_numvfs`, '1');
    await runOrThrow('ip', ['link', 'set', 'dev', physical, 'vf', '0', 'mac', MAC]);
    while (fs.readFileSync(`/sys/class/net/${physical}/operstate`, 'utf8').trim() !== 'up') await sleep(50);
    const link = fs.readlinkSync(`${device}/virtfn0`);
    address = link.slice(link.lastIndexOf('/') + 1);
  });
  lastly('remove it', async () => {
    fs.writeFileSync(`${device}/sriov_numvfs`, '0');
    await runOrThrow('ip', ['link', 'set', physical, 'down']);
  });

  testAnyNic(
    {
      address: () => address,
      peer: nicDevices.igbPeer,
      driver: undefined,
      mac: MAC,
      network: '10.103.0',
      ringSize: 256,
      open: (where, { small = false, pool } = {}) =>
        IgbVf.open(where, {
          bind: true,
          ...(small && { rxDescriptors: 8, txDescriptors: 8 }),
          ...(pool && { pool }),
        }),
    },
    (nic, wire) => {
      it('counts as the device does', async () => {
        const { received } = nic().counters.read();
        for (let n = 0; n < 8; n++) wire().send(payloadOf(n));
        await receive(nic(), nic(), all => all.length === 8);
        assert.ok(nic().counters.read().received - received >= 8);
      });
    },
  );

  it('says so when the physical function does not answer', async () => {
    await runOrThrow('ip', ['link', 'set', physical, 'down']);
    try {
      await assert.rejects(
        IgbVf.open(address, { bind: true }),
        /its driver must be there, with its interface up/,
      );
    } finally {
      await runOrThrow('ip', ['link', 'set', physical, 'up']);
    }
  });
});
