import assert from 'node:assert/strict';
import { parseArguments } from '../../../lab/arguments.js';
import { describeIommu } from '../../../lab/iommus.js';
import { profileTable } from '../../../lab/profile-table.js';
import { findProfile, type IommuKind, profiles } from '../../../lab/profiles.js';
import { buildMachine, type MachineFiles } from '../../../lab/qemu.js';

const files: MachineFiles = {
  kernel: '/cache/vmlinux',
  initramfs: '/cache/initramfs.cpio',
  console: '/run1/console.log',
  settings: '/run1/settings',
  images: '/run1',
  agentFd: 3,
  monitorFd: 4,
  monitorPortFd: 5,
};

describe('lab: kernels of a profile', () => {
  it('have its own among them', () => {
    for (const { name, kernel, kernels } of profiles) assert.ok(kernels.includes(kernel), name);
  });

  it('can be chosen, and no others', () => {
    assert.equal(findProfile('no-iommu').kernel, 'built-latest');
    assert.equal(findProfile('no-iommu', 'built-6.12').kernel, 'built-6.12');
    assert.throws(
      () => findProfile('no-iommu', 'debian-6.1'),
      /profile no-iommu runs on built-6\.12, built-latest, not on 'debian-6\.1'/,
    );
    assert.equal(parseArguments(['--kernel', 'built-6.12', 'true']).kernel, 'built-6.12');
    assert.equal(parseArguments(['--kernel=built-6.12', 'true']).kernel, 'built-6.12');
  });

  it('are shown as a table', () => {
    const lines = profileTable(profiles).split('\n');
    assert.match(
      lines[0] ?? '',
      /^profile +debian-6\.1 +debian-6\.12 +built-6\.12 +built-latest +what it is for$/,
    );
    assert.match(
      lines.find(line => line.startsWith('mdev')) ?? '',
      /^mdev +\+ +\* +devices without hardware/,
    );
  });
});

describe("lab: machines in QEMU's terms", () => {
  it('name the properties of an IOMMU as this QEMU does', () => {
    const device = (kind: IommuKind, ...names: string[]): string =>
      describeIommu(kind, new Set(names)).args[1] ?? '';
    const experimental = ['x-scalable-mode', 'x-flts'];
    assert.match(device('intel-scalable', ...experimental), /=on,x-scalable-mode=on$/);
    assert.match(device('intel-first-stage', ...experimental), /=on,x-scalable-mode=on,x-flts=on$/);
    const final = ['scalable-mode', 'fsts', 'pasid-bits'];
    assert.match(device('intel-first-stage', ...final), /,scalable-mode=on,pasid-bits=20,fsts=on$/);
    assert.match(device('amd', 'dma-remap'), /,dma-remap=on$/);
    assert.doesNotMatch(device('amd'), /dma-remap/);
  });

  it('have the pair as two functions of a card where nothing works behind a PCI bridge', () => {
    const { args } = buildMachine(findProfile('virtio-iommu'), files, 'tcg');
    assert.ok(args.includes('edu,bus=port6,addr=0.0,multifunction=on'));
    assert.ok(args.includes('pci-testdev,bus=port6,addr=0.1'));
    assert.ok(args.some(text => text.startsWith('virtio-rng-pci,bus=port8')));
  });

  it('unplug the way their kernel knows', () => {
    const unplugs = (name: string): boolean =>
      buildMachine(findProfile(name), files, 'tcg').args.includes(
        'ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off',
      );
    assert.ok(!unplugs('stock'));
    assert.ok(unplugs('intel-iommu'));
  });

  it('hand the IOMMU to every virtio device that a driver may take', () => {
    const { args } = buildMachine(findProfile('virtio-iommu'), files, 'tcg');
    assert.ok(args.some(text => text.startsWith('virtio-rng-pci,') && text.endsWith('iommu_platform=on')));
  });
});
