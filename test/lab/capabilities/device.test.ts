import assert from 'node:assert/strict';
import { Device } from 'vfio';
import { devices } from '../../../lab/devices';
import { refusal } from '../../support/covers';
import { needs } from '../../support/needs';
import { bound } from '../support/bound';
import { mediated } from '../support/mdev';
import { labSuite } from '../support/suite';

labSuite('device capabilities of PCI devices', () => {
  const addresses = [devices.nicA, devices.nvme, devices.edu, devices.testdev];
  needs({ iommu: true, devices: addresses });
  bound(...addresses);

  for (const address of addresses) {
    it(`of ${address}: PCI, with a reset, and behind a root port that completes no atomic operations`, async () => {
      await using device = await Device.open(address);
      const { capabilities, regionCount, irqCount, ...flags } = device.info;
      assert.deepEqual(flags, { ...none, reset: true, pci: true });
      assert.deepEqual([capabilities, regionCount, irqCount], [[], 9, 5]);
      refusal('VFIO_DEVICE_INFO_CAP_PCI_ATOMIC_COMP', 'VFIO_DEVICE_FLAGS_CAPS');
      refusal('VFIO_DEVICE_INFO_CAP_ZPCI_BASE', 'VFIO_DEVICE_INFO_CAP_ZPCI_GROUP');
      refusal('VFIO_DEVICE_INFO_CAP_ZPCI_UTIL', 'VFIO_DEVICE_INFO_CAP_ZPCI_PFIP');
      refusal('VFIO_DEVICE_FLAGS_PLATFORM', 'VFIO_DEVICE_FLAGS_AMBA', 'VFIO_DEVICE_FLAGS_CCW');
      refusal('VFIO_DEVICE_FLAGS_AP', 'VFIO_DEVICE_FLAGS_FSL_MC', 'VFIO_DEVICE_FLAGS_CDX');
    });
  }
});

labSuite('device capabilities of mediated devices', () => {
  needs({ profile: 'mdev' });
  const all = mediated('mtty-1', 'mdpy-vga', 'mbochs-small');

  for (const [i, name] of (['mtty', 'mdpy', 'mbochs'] as const).entries()) {
    it(`of ${name}: PCI in shape, and no word of a reset although it has one`, async () => {
      await using device = await Device.open(all[i] as string);
      const { capabilities, regionCount, irqCount, ...flags } = device.info;
      assert.deepEqual(flags, { ...none, pci: true });
      assert.deepEqual([capabilities, regionCount, irqCount], [[], name === 'mbochs' ? 10 : 9, 5]);
      await device.reset();
      device.resetSync();
    });
  }
});

const none = {
  reset: false,
  pci: false,
  platform: false,
  amba: false,
  ccw: false,
  ap: false,
  fslMc: false,
  cdx: false,
  atomics: undefined,
};
