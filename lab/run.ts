import { mkdirSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { PassThrough, type Readable, type Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { chooseAccelerator } from './accelerator.js';
import { installMissing } from './apt.js';
import type { ExecResult } from './channel.js';
import { LabError } from './error.js';
import { ensureInitramfs } from './initramfs.js';
import { propertiesNeeded } from './iommus.js';
import { ensureKernel } from './kernels.js';
import { packageRoot } from './paths.js';
import { defaultProfile, findProfile, type Profile } from './profiles.js';
import { processorClockKhz } from './processor-clock.js';
import { type Progress, silent } from './progress.js';
import { deviceProperties, ensureQemu } from './qemu-program.js';
import { Vm } from './vm.js';

/** Where a guest has the directory shared as `outDir`; commands find it in $LAB_OUT. */
export const guestOutDirectory = '/run/vfio-lab/out';

/** What a run needs of the machine beside QEMU, by package: the demo and the tests use these in the guest. */
const programs = { ping: 'iputils-ping', ip: 'iproute2' };

/** Which machine to boot, and how. */
export interface BootOptions {
  /** The name of a profile (profiles.ts); 'stock' unless given. */
  profile?: string;
  /** One of the profile's kernels other than the one it has by itself. */
  kernel?: string;
  /** Emulates one processor whose clock counts its instructions, instead of what is fastest here. */
  counted?: boolean;
  /** A directory of the host that the guest may write to. It is made when missing. */
  outDir?: string;
  /** Directories below /tmp or /run that the guest shall see, beside the checkout, the working directory and Node. */
  keep?: readonly string[];
  /** How long the boot may take; 120 s unless given. A boot that fails is tried once more. */
  bootTimeoutMs?: number;
  signal?: AbortSignal;
  /** Hears of the steps as they are done. */
  progress?: Progress;
  /** Gets the kernel's console. */
  console?: Writable;
}

/** A command and what it is connected to. */
export interface CommandOptions {
  /** The command and its arguments, exactly as it gets them. */
  argv: readonly string[];
  /** Where it runs; the working directory of this process unless given. */
  cwd?: string;
  /** Its environment; that of this process unless given. LAB, LAB_PROFILE, LAB_KERNEL and LAB_OUT come on top. */
  env?: Readonly<Record<string, string | undefined>>;
  /** Its standard input; empty unless given. When the command ends first it is paused, not destroyed. */
  stdin?: Readable;
  /** Where its output goes; this process's own streams unless given. */
  stdout?: Writable;
  stderr?: Writable;
  /** Gives it a terminal of this size. Standard error is then a part of standard output. */
  tty?: { rows: number; columns: number };
  /** How long it may run; without it, for ever. */
  timeoutMs?: number;
}

export interface LabResult extends ExecResult {
  /** From the start of QEMU to the moment a command could run. */
  bootMs: number;
  /** All of it, set-up included. */
  wallMs: number;
}

/** A booted machine for several commands, one after the other. */
export class Lab implements AsyncDisposable {
  constructor(
    readonly vm: Vm,
    readonly profile: Profile,
    private readonly options: BootOptions,
  ) {}

  /** Runs a command; its exit code is a result and not an error. */
  async run(command: CommandOptions): Promise<ExecResult> {
    const timeout = command.timeoutMs === undefined ? undefined : AbortSignal.timeout(command.timeoutMs);
    const signals = [this.options.signal, timeout].filter(signal => signal !== undefined);
    try {
      return await this.vm.exec({
        argv: command.argv,
        cwd: command.cwd ?? process.cwd(),
        env: guestEnvironment(command.env ?? process.env, this.profile, this.options.outDir),
        stdin: command.stdin,
        stdout: command.stdout ?? process.stdout,
        stderr: command.stderr ?? process.stderr,
        tty: command.tty,
        signal: AbortSignal.any(signals),
      });
    } catch (error) {
      if (!timeout?.aborted) throw error;
      throw new LabError(
        `${command.argv.join(' ')} did not end within ${(command.timeoutMs ?? 0) / 1000} s`,
        { cause: error },
      );
    }
  }

  /** What the guest's kernel said last. Of a process that died of a fault it says where. */
  async kernelSaid(lines = 6): Promise<string> {
    const stdout = new PassThrough();
    const said = text(stdout);
    await this.run({ argv: ['sh', '-c', `dmesg | tail -n ${lines}`], stdout, timeoutMs: 30_000 });
    stdout.end();
    return (await said).trim();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.vm.close();
  }
}

/** Gets everything that a machine needs, and boots it. */
export async function bootLab(options: BootOptions = {}, cwd = process.cwd()): Promise<Lab> {
  const progress = options.progress ?? silent;
  const profile = findProfile(options.profile ?? defaultProfile, options.kernel);
  if (options.outDir !== undefined) mkdirSync(options.outDir, { recursive: true });
  await installMissing(programs, progress);
  const qemu = await ensureQemu(profile.qemu, progress);
  const device = propertiesNeeded[profile.iommu];
  const iommuProperties = device === undefined ? undefined : await deviceProperties(qemu, device);
  const kernel = await ensureKernel(profile.kernel, progress);
  const initramfs = await ensureInitramfs(kernel, progress);
  const accelerator = options.counted ? 'counted' : await chooseAccelerator(kernel, initramfs, progress);
  const vmOptions = {
    profile,
    kernel,
    initramfs,
    accelerator,
    processorClockKhz: await processorClockKhz(accelerator, progress),
    qemu,
    iommuProperties,
    outDir: options.outDir === undefined ? undefined : realpathSync(options.outDir),
    keep: [
      cwd,
      packageRoot,
      realpathSync(packageRoot),
      path.dirname(process.execPath),
      ...(options.keep ?? []),
    ],
    bootTimeoutMs: options.bootTimeoutMs ?? 120_000,
    signal: options.signal,
    console: options.console,
  };
  const label = `booting ${profile.name} on ${profile.kernel}`;
  const vm = await progress(label, () => Vm.boot(vmOptions)).catch((error: unknown) => {
    // QEMU has been seen to abort on an assertion of its own; a second boot tells that from a real fault.
    if (!(error instanceof LabError) || options.signal?.aborted) throw error;
    const why = error.message.split('\n')[0] ?? '';
    return progress(`${label} once more, since ${why}`, () => Vm.boot(vmOptions));
  });
  return new Lab(vm, profile, options);
}

/** Boots a machine for one command. */
export async function runInLab(options: BootOptions & CommandOptions): Promise<LabResult> {
  const start = performance.now();
  await using lab = await bootLab(options, options.cwd);
  const result = await lab.run(options);
  return { ...result, bootMs: lab.vm.bootMs, wallMs: performance.now() - start };
}

function guestEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  profile: Profile,
  outDir: string | undefined,
): Record<string, string> {
  const defined = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return {
    ...Object.fromEntries(defined),
    // The host's choice may be a place that the guest cannot write to.
    TMPDIR: '/tmp',
    LAB: '1',
    LAB_PROFILE: profile.name,
    LAB_KERNEL: profile.kernel,
    ...(outDir === undefined ? {} : { LAB_OUT: guestOutDirectory }),
  };
}
