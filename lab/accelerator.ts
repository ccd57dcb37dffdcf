import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { atExit } from './cleanup.js';
import { mustRun } from './command.js';
import { LabError } from './error.js';
import type { Kernel } from './kernels.js';
import { cacheDirectory } from './paths.js';
import type { Progress } from './progress.js';
import type { Accelerator } from './qemu.js';

/** How long a kernel may take under KVM to come up and go down; where KVM works it is about a second. */
const probeMs = 10_000;

/**
 * KVM where it works, and otherwise emulation. That /dev/kvm exists proves nothing (in a nested guest a kernel may hang
 * or die in its first instructions), so a kernel is booted; the verdict holds until the host or QEMU changes.
 */
export async function chooseAccelerator(
  kernel: Kernel,
  initramfs: string,
  progress: Progress,
): Promise<Accelerator> {
  const forced = process.env['VFIO_LAB_ACCEL'];
  if (forced === 'kvm' || forced === 'tcg') return forced;
  if (forced) throw new LabError(`VFIO_LAB_ACCEL is '${forced}'; it can be kvm or tcg`);
  if (!existsSync('/dev/kvm')) return 'tcg';

  const file = path.join(cacheDirectory(), 'accelerator.json');
  const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  const circumstances = {
    bootId,
    qemu: (await mustRun(['qemu-system-x86_64', '--version'])).split('\n')[0] ?? '',
  };
  const known = readVerdict(file);
  if (known?.bootId === circumstances.bootId && known.qemu === circumstances.qemu) return known.accelerator;
  const works = await progress('trying KVM', () => probe(kernel, initramfs));
  const verdict: Verdict = { ...circumstances, accelerator: works ? 'kvm' : 'tcg' };
  try {
    writeFileSync(file, JSON.stringify(verdict));
  } catch {
    // A cache that cannot be written to costs another probe the next time.
  }
  return verdict.accelerator;
}

interface Verdict {
  bootId: string;
  qemu: string;
  accelerator: Accelerator;
}

function readVerdict(file: string): Verdict | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Verdict;
  } catch {
    return undefined;
  }
}

/** Boots a kernel that powers off at once; init (lab/guest/init) knows the word. */
function probe(kernel: Kernel, initramfs: string): Promise<boolean> {
  const child = spawn(
    'qemu-system-x86_64',
    [
      ...['-M', 'q35,kernel-irqchip=split', '-accel', 'kvm', '-cpu', 'max', '-smp', '2', '-m', '512'],
      ...[
        '-nodefaults',
        '-no-user-config',
        '-display',
        'none',
        '-no-reboot',
        '-device',
        'intel-iommu,intremap=on',
      ],
      ...['-kernel', kernel.image, '-initrd', initramfs, '-serial', 'stdio'],
      ...['-append', 'console=ttyS0 quiet panic=-1 intel_iommu=on lab.probe'],
    ],
    { stdio: ['ignore', 'pipe', 'ignore'], detached: true },
  );
  let said = '';
  child.stdout.on('data', (data: Buffer) => (said += data.toString()));
  return new Promise(resolve => {
    const cleanup = atExit(child);
    const done = (works: boolean): void => {
      clearTimeout(timer);
      cleanup[Symbol.dispose]();
      resolve(works);
    };
    const timer = setTimeout(() => done(false), probeMs);
    child.on('error', () => done(false));
    // A kernel that panics ends QEMU with exit code 0, too.
    child.on('close', code => done(code === 0 && said.includes('lab init: up')));
  });
}
