import { Writable } from 'node:stream';
import { runCommand } from '../lab/command.js';
import { devices } from '../lab/devices.js';
import { type Progress, silent } from '../lab/progress.js';
import { bootLab, type Lab } from '../lab/run.js';
import { bindScript } from './bind-script.js';

/** A machine that runs programs. */
export interface Place {
  /** Runs a program to its end and returns its standard output. @throws Error when it fails, with what it said */
  run(argv: readonly string[]): Promise<string>;
}

/** This machine. */
export const host: Place = {
  async run(argv) {
    const { code, stdout, stderr } = await runCommand(argv);
    return successful(argv, code, stdout, stderr);
  },
};

/** The lab's virtual machine, with one NIC on vfio-pci for C programs and ours alike. */
export class LabPlace implements Place, AsyncDisposable {
  private constructor(private readonly lab: Lab) {}

  /**
   * @param keep directories of the host that the guest must see even below /tmp
   * @param counted one processor, whose nanoseconds are instructions
   */
  static async boot(
    profile: string,
    keep: readonly string[],
    progress: Progress = silent,
    counted = false,
  ): Promise<LabPlace> {
    const place = new LabPlace(await bootLab({ profile, keep, progress, counted }));
    try {
      await place.run(['sh', '-c', bindScript(devices.nicA)]);
      return place;
    } catch (error) {
      await place[Symbol.asyncDispose]();
      throw error;
    }
  }

  async run(argv: readonly string[]): Promise<string> {
    const [stdout, stderr] = [new Captured(), new Captured()];
    const { exitCode, signal } = await this.lab.run({ argv, stdout, stderr, timeoutMs: 600_000 });
    const more = signal === undefined ? '' : `\nThe kernel said last:\n${await this.lab.kernelSaid()}`;
    return successful(argv, exitCode, stdout.text, `${stderr.text}${more}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.lab[Symbol.asyncDispose]();
  }
}

class Captured extends Writable {
  readonly #chunks: Buffer[] = [];

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#chunks.push(chunk);
    done();
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString();
  }
}

function successful(argv: readonly string[], code: number | null, stdout: string, stderr: string): string {
  if (code === 0) return stdout;
  throw new Error(`${argv.join(' ')} ended with ${code ?? 'a signal'}:\n${stderr.trim() || stdout.trim()}`);
}
