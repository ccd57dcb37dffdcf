import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { devices } from '../../../lab/devices';
import { needs } from '../../support/needs';
import { bindByHand, groupOf, names } from './support';

describe('machine: no IOMMU', () => {
  const device = `/sys/bus/pci/devices/${devices.nicA}`;

  needs({ profile: 'no-iommu' });

  it('has none, and groups only for devices under vfio-pci', () => {
    // The mock one is there on every kernel built here, and takes no PCI device.
    assert.deepEqual(
      names('/sys/class/iommu').filter(name => !name.startsWith('iommufd_selftest')),
      [],
    );
    assert.ok(!fs.existsSync(`${device}/iommu_group`));
  });

  it('gives a device under vfio-pci a node whose name says so', () => {
    const giveBack = bindByHand(devices.nicA);
    try {
      const group = groupOf(device);
      assert.ok(fs.statSync(`/dev/vfio/noiommu-${group}`).isCharacterDevice());
      assert.ok(!fs.existsSync(`/dev/vfio/${group}`));
      assert.equal(fs.readFileSync(`/sys/kernel/iommu_groups/${group}/name`, 'utf8').trim(), 'vfio-noiommu');
    } finally {
      giveBack();
    }
    assert.deepEqual(
      names('/dev/vfio').filter(name => name.startsWith('noiommu-')),
      [],
    );
  });
});
