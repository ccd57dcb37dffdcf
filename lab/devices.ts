import { profiles } from './profiles.js';

/** The machine that this runs in, as the lab tells its commands; undefined on the host. */
const here = profiles.find(({ name }) => name === process.env['LAB_PROFILE']);

/** The group of two behind a PCIe-to-PCI bridge, whose bus cannot tell its members' requests apart. */
const behindBridge = { bridge: '0000:06:00.0', pairEdu: '0000:07:01.0', pairTestdev: '0000:07:02.0' };

/** The group of two as one card with two functions. The bridge above is a root port, and no member of the group. */
const oneCard = { bridge: '0000:00:15.0', pairEdu: '0000:06:00.0', pairTestdev: '0000:06:00.1' };

const pair = here?.devices.some(({ kind }) => kind === 'functions') ? oneCard : behindBridge;

/**
 * Where the devices of the machines sit (profiles.ts puts them there): in the guest those of its own machine, on the
 * host those of `stock`. Each but the pair is alone behind a PCIe root port and so alone in its IOMMU group.
 */
export const devices = {
  /** Intel 82574L (e1000e) with the MAC address 52:54:00:00:00:01, wired to nicB. */
  nicA: '0000:01:00.0',
  /** Intel 82574L (e1000e) with the MAC address 52:54:00:00:00:02, wired to nicA. */
  nicB: '0000:02:00.0',
  /** NVMe controller with one namespace of 64 MiB, all zeros at boot. */
  nvme: '0000:03:00.0',
  /** QEMU's teaching device: factorial, DMA engine, INTx and MSI. */
  edu: '0000:04:00.0',
  /** Test BARs in memory and I/O-port space. */
  testdev: '0000:05:00.0',
  /** The bridge above the pair. If it is a PCIe-to-PCI bridge, it is a member of their group that needs no binding. */
  bridge: pair.bridge,
  /** First of the group of two: an edu. */
  pairEdu: pair.pairEdu,
  /** Second of the group of two: a pci-testdev. */
  pairTestdev: pair.pairTestdev,
  /** An entropy source that reports errors (AER). Only the machines of the built kernels have this one and the next. */
  rng: '0000:08:00.0',
  /** A graphics card with the legacy VGA ranges. */
  vga: '0000:09:00.0',
} as const;

/** Where the NICs of the profile nics sit. */
export const nicDevices = {
  /** virtio-net with the MAC address 52:54:00:00:00:21. */
  virtio: '0000:01:00.0',
  /** virtio-net with the MAC address 52:54:00:00:00:22, wired to the one before and the one after. */
  virtioPeer: '0000:02:00.0',
  /** virtio-net with packed queues and the MAC address 52:54:00:00:00:23. */
  virtioPacked: '0000:03:00.0',
  /** Intel 82576 (igb) with the MAC address 52:54:00:00:00:24; its virtual functions are on the same bus, from 10.0 on. */
  igb: '0000:04:00.0',
  /** Intel 82576 (igb) with the MAC address 52:54:00:00:00:25, wired to the one before. */
  igbPeer: '0000:05:00.0',
} as const;

/** Where the two ports of the profile sr-iov sit; their virtual functions are on the same bus, from 10.0 on. */
export const sriovDevices = {
  /** Intel 82576 (igb) with the MAC address 52:54:00:00:00:11, wired to nicB. */
  nicA: '0000:01:00.0',
  /** Intel 82576 (igb) with the MAC address 52:54:00:00:00:12, wired to nicA. */
  nicB: '0000:02:00.0',
} as const;
