import * as fs from 'node:fs';
import * as os from 'node:os';
import {
  allowsUnsafeInterrupts,
  dmaEntryLimit,
  hugePages,
  iommuGroupCount,
  kernelRelease,
  memlock,
  moduleLoaded,
  nodeFacts,
} from './errors/facts';
import { parseAddress } from './pci/address';
import { deviceExists, driverOf, groupOf, membersInTheWay } from './pci/sysfs';

/** One thing that VFIO needs, and whether this machine has it now. */
export interface DoctorCheck {
  /** `'iommu'`, `'modules'`, `'container'`, `'memlock'`, … */
  readonly name: string;
  readonly ok: boolean;
  /** What was found. */
  readonly detail: string;
  /** What to do about it, when something is wrong. */
  readonly cure?: string;
}

/** The result of {@link doctor}; plain data, ready for `JSON.stringify`. */
export interface DoctorReport {
  /** Whether every check is. */
  readonly ok: boolean;
  readonly kernel: string;
  readonly checks: readonly DoctorCheck[];
}

/**
 * Looks whether this process could use VFIO now, and with an address, whether it could open that device. Changes nothing
 * and needs no privilege.
 */
export function doctor(address?: string): DoctorReport {
  const device = address === undefined ? undefined : parseAddress(address);
  const checks = [
    iommu(),
    modules(),
    node('container', '/dev/vfio/vfio'),
    interruptRemapping(),
    memlockCheck(),
    limits(),
  ];
  if (device !== undefined) checks.push(...deviceChecks(device));
  return Object.freeze({
    ok: checks.every(check => check.ok),
    kernel: kernelRelease(),
    checks: Object.freeze(checks.map(check => Object.freeze(check))),
  });
}

function iommu(): DoctorCheck {
  const groups = iommuGroupCount();
  return {
    name: 'iommu',
    ok: groups > 0,
    detail: groups > 0 ? `${groups} IOMMU groups` : 'this kernel has no IOMMU groups',
    ...(groups > 0 ? {} : { cure: 'turn on VT-d / AMD-Vi in the firmware and boot with intel_iommu=on' }),
  };
}

function modules(): DoctorCheck {
  const missing = ['vfio', 'vfio_iommu_type1', 'vfio_pci'].filter(name => !moduleLoaded(name));
  return {
    name: 'modules',
    ok: missing.length === 0,
    detail:
      missing.length === 0
        ? 'vfio, vfio_iommu_type1 and vfio_pci are there'
        : `missing: ${missing.join(', ')}`,
    ...(missing.length === 0 ? {} : { cure: 'modprobe vfio-pci' }),
  };
}

function node(name: string, path: string): DoctorCheck {
  const facts = nodeFacts(path);
  if (facts === undefined)
    return { name, ok: false, detail: `${path} is not there`, cure: 'modprobe vfio-pci, or bind the device' };
  const who = `${path} belongs to user ${facts.owner}, group ${facts.group}, mode ${facts.mode}`;
  try {
    fs.accessSync(path, fs.constants.R_OK | fs.constants.W_OK);
    return { name, ok: true, detail: who };
  } catch {
    return {
      name,
      ok: false,
      detail: `${who}; user ${process.geteuid?.() ?? '?'} may not open it`,
      cure: 'a udev rule: SUBSYSTEM=="vfio", GROUP="vfio", MODE="0660"',
    };
  }
}

/** The kernel says it in one place only: whether it would let devices in without it. */
function interruptRemapping(): DoctorCheck {
  const domains = '/sys/kernel/debug/irq/domains';
  const unsafe = allowsUnsafeInterrupts();
  let remapping = 'the kernel does not say whether interrupts are remapped (debugfs is not readable)';
  try {
    const names = fs.readdirSync(domains);
    remapping = names.some(name => /-IR\b|-IR-/.test(name))
      ? 'interrupts are remapped'
      : 'interrupts are not remapped';
  } catch {
    // Not root, or no debugfs: nothing can be known before setIommu() answers EPERM.
  }
  const ok = unsafe || !remapping.includes('are not');
  return {
    name: 'interrupt-remapping',
    ok,
    detail: unsafe ? `${remapping}; allow_unsafe_interrupts is set` : remapping,
    ...(ok
      ? {}
      : {
          cure: 'turn it on, or accept forged interrupts: options vfio_iommu_type1 allow_unsafe_interrupts=1',
        }),
  };
}

function memlockCheck(): DoctorCheck {
  const { soft, hard, locked, pinned, exempt } = memlock();
  const small = 64 * 2 ** 20;
  const ok = exempt || soft >= small;
  return {
    name: 'memlock',
    ok,
    detail: exempt
      ? 'CAP_IPC_LOCK: no limit on pinned memory'
      : `${soft} bytes may be pinned (hard limit ${hard}), ${locked + pinned} are`,
    ...(ok ? {} : { cure: 'raise it: ulimit -l, LimitMEMLOCK= in systemd, or /etc/security/limits.conf' }),
  };
}

function limits(): DoctorCheck {
  const pool = hugePages(2 * 2 ** 20);
  const huge =
    pool === undefined
      ? 'no huge pages of 2 MiB'
      : `${pool.free} of ${pool.total} huge pages of 2 MiB are free`;
  return {
    name: 'limits',
    ok: true,
    detail: `${dmaEntryLimit()} DMA mappings a container; ${huge}; ${os.totalmem()} bytes of memory`,
  };
}

function deviceChecks(address: string): DoctorCheck[] {
  if (!deviceExists(address)) {
    return [
      {
        name: 'device',
        ok: false,
        detail: `there is no PCI device ${address}`,
        cure: 'one of listDevices()',
      },
    ];
  }
  const group = groupOf(address);
  const driver = driverOf(address);
  const bound = driver?.includes('vfio') === true;
  const checks: DoctorCheck[] = [
    {
      name: 'driver',
      ok: bound,
      detail: `${address} is on ${driver ?? 'no driver'}`,
      ...(bound ? {} : { cure: 'Device.open(address, { bind: true }), or bindDevice(address)' }),
    },
  ];
  if (group === undefined) {
    checks.push({
      name: 'group',
      ok: false,
      detail: `${address} is in no IOMMU group`,
      cure: 'boot with an IOMMU',
    });
    return checks;
  }
  const others = membersInTheWay(group).filter(one => one.address !== address);
  checks.push({
    name: 'group',
    ok: others.length === 0,
    detail:
      others.length === 0
        ? `nothing else of group ${group} is in the way`
        : `group ${group}: ${others.map(one => `${one.address} is on ${one.driver}`).join(', ')}`,
    ...(others.length === 0 ? {} : { cure: 'bind them to vfio-pci too, or unbind them' }),
  });
  if (bound) checks.push(node('group-node', `/dev/vfio/${group}`));
  return checks;
}
