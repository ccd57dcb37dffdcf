import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { devices } from '../../../lab/devices';
import { needs } from '../../support/needs';
import { skip } from '../../support/skip';
import { bindByHand, cdevOf, groupOf, profile } from './support';

/** How each machine's IOMMU shows below /sys/class/iommu. */
const iommus: Record<string, RegExp> = {
  stock: /^dmar\d+$/,
  'stock-6.12': /^dmar\d+$/,
  'intel-iommu': /^dmar\d+$/,
  'intel-scalable': /^dmar\d+$/,
  'intel-first-stage': /^dmar\d+$/,
  'amd-iommu': /^ivhd\d+$/,
  'virtio-iommu': /^0000:00:01\.0$/,
};

describe('machine: IOMMU', () => {
  const sysfs = (address: string): string => `/sys/bus/pci/devices/${address}`;
  const device = sysfs(devices.nicA);
  const bound = [devices.nicA, devices.edu, devices.pairEdu, devices.pairTestdev];
  const giveBack: (() => void)[] = [];

  needs({ profile: Object.keys(iommus) });
  before(() => {
    // Before 6.15 virtio-iommu has a group for a device only once a driver has taken it.
    for (const address of bound) giveBack.push(bindByHand(address));
  });
  after(() => giveBack.forEach(give => give()));

  it('is of the kind that the profile names', () => {
    const found = fs.readdirSync('/sys/class/iommu');
    assert.ok(
      found.some(name => iommus[profile ?? '']?.test(name)),
      `/sys/class/iommu has ${found.join(', ')}`,
    );
  });

  it('puts each device behind a root port in a group of its own', () => {
    const alone = [devices.nicA, devices.nicB, devices.nvme, devices.edu].map(address =>
      groupOf(sysfs(address)),
    );
    assert.equal(new Set(alone).size, alone.length);
  });

  it('puts the pair in one group', () => {
    assert.equal(groupOf(sysfs(devices.pairEdu)), groupOf(sysfs(devices.pairTestdev)));
  });

  it('gives a device under vfio-pci its group node', () => {
    assert.ok(fs.statSync(`/dev/vfio/${groupOf(device)}`).isCharacterDevice());
    assert.ok(fs.statSync('/dev/vfio/vfio').isCharacterDevice());
  });

  it('gives it a node of its own where the kernel has iommufd', function () {
    if (!fs.existsSync('/dev/iommu')) skip(this, 'this kernel has no iommufd');
    const cdev = cdevOf(device);
    assert.ok(cdev !== undefined && fs.statSync(`/dev/vfio/devices/${cdev}`).isCharacterDevice());
  });

  it('has iommufd on every kernel that is built here', () => {
    assert.equal(fs.existsSync('/dev/iommu'), process.env['LAB_KERNEL']?.startsWith('built-'));
  });
});

describe('machine: scalable mode', () => {
  needs({ profile: ['intel-scalable', 'intel-first-stage'] });

  it('is offered by the IOMMU, with the tables that the profile names', () => {
    const ecap = BigInt(`0x${fs.readFileSync('/sys/class/iommu/dmar0/intel-iommu/ecap', 'utf8').trim()}`);
    const bit = (index: bigint): boolean => ((ecap >> index) & 1n) === 1n;
    // VT-d specification, Extended Capability Register: PASID, SMTS, SSTS, FSTS.
    const offered = { pasid: bit(40n), scalable: bit(43n), second: bit(46n), first: bit(47n) };
    const first = profile === 'intel-first-stage';
    assert.deepEqual(offered, { pasid: true, scalable: true, second: !first, first });
  });
});
