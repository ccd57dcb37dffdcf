import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import path from 'node:path';
import type { Writable } from 'node:stream';
import { Channel, type ExecOptions, type ExecResult } from './channel.js';
import { atExit } from './cleanup.js';
import { ConsoleLog } from './console-log.js';
import { DeadQemuError, LabError } from './error.js';
import type { Kernel } from './kernels.js';
import type { Profile } from './profiles.js';
import type { Accelerator } from './qemu.js';
import type { Qemu } from './qemu-program.js';
import { makeRunDirectory } from './run-directory.js';
import { agentFd, monitorFd, monitorPortFd, writeRunFiles } from './run-files.js';
import { timerHasStopped } from './stalled-timer.js';

/** What a machine is started from. */
export interface VmOptions {
  profile: Profile;
  kernel: Kernel;
  initramfs: string;
  accelerator: Accelerator;
  /** What the guest's kernel shall take its time stamp counter's speed to be; undefined: what it measures. */
  processorClockKhz?: number | undefined;
  qemu: Qemu;
  /** What the IOMMU's device can be told, for those where that depends on QEMU. */
  iommuProperties?: ReadonlySet<string> | undefined;
  /** A directory of the host to share with the guest read-write. */
  outDir?: string | undefined;
  /** Directories of the host that must stay visible in the guest although it mounts its own /tmp and /run. */
  keep: readonly string[];
  bootTimeoutMs: number;
  signal?: AbortSignal | undefined;
  /** Gets the kernel's console as it is written, for watching a boot. */
  console?: Writable | undefined;
}

/** One running machine. Commands run one after the other; closing it ends QEMU and removes its files. */
export class Vm implements AsyncDisposable {
  /** From the start of QEMU to the agent's first word. */
  bootMs = 0;
  readonly #qemu: ChildProcess;
  readonly #channel: Channel;
  readonly #console: ConsoleLog;
  readonly #directory: Disposable;
  readonly #process: Disposable;
  readonly #gone: Promise<unknown>;
  readonly #watch: NodeJS.Timeout;
  #closing = false;

  private constructor(options: VmOptions) {
    const directory = makeRunDirectory();
    this.#directory = atExit(directory);
    this.#console = new ConsoleLog(path.join(directory, 'console.log'), options.console);
    this.#qemu = spawn(options.qemu.program, writeRunFiles(options, directory, this.#console.file), {
      // A session of its own: Ctrl-C is for this process to handle, which then ends QEMU.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], TMPDIR: directory },
    });
    this.#process = atExit(this.#qemu);
    // Node's types know of five at most.
    const sockets: readonly unknown[] = this.#qemu.stdio;
    this.#channel = new Channel(sockets[agentFd] as Socket);
    joinSockets(sockets[monitorFd] as Socket, sockets[monitorPortFd] as Socket);
    let said = '';
    for (const stream of [this.#qemu.stdout, this.#qemu.stderr]) {
      stream?.on('data', (data: Buffer) => (said = (said + data.toString()).slice(-4000)));
    }
    this.#watch = setInterval(() => {
      if (!timerHasStopped(this.#console.text())) return;
      clearInterval(this.#watch);
      this.#channel.fail(this.#explain('the timer of a processor of the guest has stopped', said));
    }, 5000).unref();
    this.#qemu.on('error', cause =>
      this.#channel.fail(new LabError(`cannot run QEMU: ${cause.message}`, { cause })),
    );
    this.#gone = new Promise(resolve => this.#qemu.on('close', resolve));
    this.#qemu.on('close', (code, signal) => {
      if (!this.#closing)
        this.#channel.fail(
          this.#explain(`QEMU ended by itself (${signal ?? `exit code ${code ?? '?'}`})`, said),
        );
    });
  }

  /** Starts QEMU and waits until the agent in the guest answers. */
  static async boot(options: VmOptions): Promise<Vm> {
    options.signal?.throwIfAborted();
    const start = performance.now();
    const vm = new Vm(options);
    const giveUp = new AbortController();
    const timer = setTimeout(() => {
      vm.#channel.fail(vm.#explain(`the guest did not come up within ${options.bootTimeoutMs / 1000} s`, ''));
    }, options.bootTimeoutMs);
    try {
      const aborted = options.signal && once(options.signal, 'abort', { signal: giveUp.signal });
      aborted?.then(
        () => vm.#channel.fail(abortReason(options.signal)),
        () => undefined,
      );
      await vm.#channel.ready;
      vm.bootMs = performance.now() - start;
      return vm;
    } catch (error) {
      await vm.close();
      throw error;
    } finally {
      clearTimeout(timer);
      giveUp.abort();
    }
  }

  /** Runs one command to its end, all of its output delivered. Aborting gives the machine up. */
  async exec(options: ExecOptions & { signal?: AbortSignal | undefined }): Promise<ExecResult> {
    options.signal?.throwIfAborted();
    const abort = (): void => this.#channel.fail(abortReason(options.signal));
    options.signal?.addEventListener('abort', abort);
    try {
      return await this.#channel.exec(options);
    } finally {
      options.signal?.removeEventListener('abort', abort);
    }
  }

  /** Gives the running command's terminal a new size. */
  resize(rows: number, columns: number): void {
    this.#channel.resize(rows, columns);
  }

  /** Sends a signal to the running command and its process group. */
  kill(signal: number): void {
    this.#channel.kill(signal);
  }

  /** Ends the machine. Its disks are scratch and the agent has synced the shared directory, so QEMU just goes. */
  async close(): Promise<void> {
    this.#closing = true;
    clearInterval(this.#watch);
    this.#process[Symbol.dispose]();
    this.#channel.fail(new LabError('the machine was closed'));
    await this.#gone;
    this.#console.close();
    this.#directory[Symbol.dispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #explain(what: string, said: string): DeadQemuError {
    const console = this.#console.tail();
    const parts = [
      what,
      said && `QEMU said:\n${said.trim()}`,
      console && `the guest's console ended with:\n${console}`,
    ];
    return new DeadQemuError(parts.filter(part => part !== '').join('\n'));
  }
}

/**
 * What one says the other hears. So the guest has QEMU's own monitor (QMP) at a serial port: a test can pull the device it
 * is using, or have it report errors. Both end with QEMU.
 */
function joinSockets(one: Socket, other: Socket): void {
  one.pipe(other).pipe(one);
  for (const socket of [one, other]) socket.on('error', () => undefined);
}

function abortReason(signal: AbortSignal | undefined): Error {
  const reason: unknown = signal?.reason;
  return reason instanceof Error ? reason : new LabError('aborted');
}
