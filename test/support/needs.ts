import * as fs from 'node:fs';
import * as os from 'node:os';
import { devices } from '../../lab/devices.js';
import { type KernelFeature, kernelFeatures } from '../../lab/kernel-features.js';
import { isAtLeast } from '../../lab/kernel-options.js';
import { skip } from './skip.js';

/** What tests need of the machine they run on. */
export interface Needs {
  /** The oldest kernel: `'6.12'`. */
  kernel?: string;
  /** What the kernel must be new enough for. */
  feature?: KernelFeature;
  /** An IOMMU (true), or none (false). */
  iommu?: boolean;
  /** `/dev/iommu` (true), or a kernel without it (false). */
  iommufd?: boolean;
  /** PCI addresses at which there are devices. */
  devices?: readonly string[];
  /** Files and directories that are there, such as those below /sys. */
  files?: readonly string[];
  /** Particular machines of the lab, for what only they are made for. */
  profile?: string | readonly string[];
}

/** An IOMMU and the devices of the stock machine. Other machines have other devices, some at the same addresses. */
export const stockMachine: Needs = {
  iommu: true,
  devices: Object.values(devices).filter(address => address !== devices.rng && address !== devices.vga),
};

/** What a suite has stated of its needs. */
export interface StatedNeeds {
  stated: boolean;
  /** Why this machine is none for them. */
  lack: string | undefined;
}

let collecting: (StatedNeeds & { suite: Mocha.Suite }) | undefined;

/** Runs the body of a suite and returns what it says it needs, which is then for the caller to see to. */
export function needsOf(suite: Mocha.Suite, body: () => void): StatedNeeds {
  const mine = { suite, stated: false, lack: undefined };
  collecting = mine;
  try {
    body();
    return mine;
  } finally {
    collecting = undefined;
  }
}

/**
 * Skips a suite, saying why, on machines that lack something. It belongs at the start of the body of `describe` or
 * `labSuite`, before anything else. A `describe` that is skipped still runs its own `after` hooks; a `labSuite` runs
 * nothing at all.
 */
export function needs(wanted: Needs): void {
  // In a suite within the one that collects, there is that suite already.
  if (collecting?.suite.suites.length === 0) {
    collecting.stated = true;
    collecting.lack ??= lacking(wanted);
    return;
  }
  before('what it needs', function () {
    const lack = lacking(wanted);
    if (lack !== undefined) skip(this, lack);
  });
}

/** Why this machine is none for these needs; `undefined` when it is. For single tests: `skip(this, reason)`. */
export function lacking({
  kernel,
  feature,
  iommu,
  iommufd,
  devices,
  files,
  profile,
}: Needs): string | undefined {
  const machine = process.env['LAB_PROFILE'];
  const profiles = profile === undefined ? undefined : [profile].flat();
  if (profiles !== undefined && !profiles.includes(machine ?? ''))
    return `needs the lab's ${profiles.join(' or ')}`;
  if (kernel !== undefined && !isAtLeast(os.release(), kernel)) return `needs kernel ${kernel}`;
  if (feature !== undefined && !isAtLeast(os.release(), kernelFeatures[feature]))
    return `needs kernel ${kernelFeatures[feature]}, which brought ${feature}`;
  if (iommu !== undefined && iommu !== hasIommu())
    return iommu ? 'needs an IOMMU' : 'needs a machine without an IOMMU';
  if (iommufd !== undefined && iommufd !== fs.existsSync('/dev/iommu'))
    return iommufd ? 'needs /dev/iommu' : 'needs a kernel without iommufd';
  const device = devices?.find(address => !fs.existsSync(`/sys/bus/pci/devices/${address}`));
  if (device !== undefined) return `needs the device ${device}`;
  const file = files?.find(name => !fs.existsSync(name));
  return file === undefined ? undefined : `needs ${file}`;
}

function hasIommu(): boolean {
  const directory = '/sys/class/iommu';
  const names = fs.existsSync(directory) ? fs.readdirSync(directory) : [];
  // The one of iommufd's mock devices guards no others.
  return names.some(name => !name.startsWith('iommufd_selftest'));
}
