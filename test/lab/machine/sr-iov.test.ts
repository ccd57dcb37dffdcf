import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { sriovDevices } from '../../../lab/devices';
import { needs } from '../../support/needs';
import { bindByHand, cdevOf, groupOf } from './support';

describe('machine: SR-IOV', () => {
  const device = `/sys/bus/pci/devices/${sriovDevices.nicA}`;
  const functions = (): string[] =>
    fs
      .readdirSync(device)
      .filter(name => name.startsWith('virtfn'))
      .map(name =>
        path.join('/sys/bus/pci/devices', path.basename(fs.readlinkSync(path.join(device, name)))),
      );
  let giveBack: (() => void) | undefined;

  needs({ profile: 'sr-iov' });
  before(() => {
    giveBack = bindByHand(sriovDevices.nicA);
  });
  after(() => {
    if (giveBack === undefined) return;
    fs.writeFileSync(path.join(device, 'sriov_numvfs'), '0');
    giveBack();
  });

  it('is what the card can do', () => {
    assert.equal(fs.readFileSync(path.join(device, 'sriov_totalvfs'), 'utf8').trim(), '8');
    assert.deepEqual(functions(), []);
  });

  it('makes virtual functions of a physical one under vfio-pci, each in a group and under vfio-pci itself', () => {
    fs.writeFileSync(path.join(device, 'sriov_numvfs'), '2');
    const made = functions();
    assert.equal(made.length, 2);
    for (const made1 of made) {
      assert.equal(path.basename(fs.readlinkSync(path.join(made1, 'driver'))), 'vfio-pci');
      assert.ok(fs.existsSync(`/dev/vfio/${groupOf(made1)}`));
      assert.ok(fs.existsSync(`/dev/vfio/devices/${cdevOf(made1) ?? '?'}`));
    }
    assert.equal(new Set([device, ...made].map(groupOf)).size, 3);
  });
});
