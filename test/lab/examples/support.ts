/** Running the examples as a user would, as processes of their own, inside the lab. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { findDevice } from 'vfio';
import { runOrThrow } from '../../../examples/ping/demo/command.js';
import { interfacesOf } from '../../../examples/ping/demo/interfaces.js';
import { devices } from '../../../lab/devices.js';
import { lacking, stockMachine } from '../../support/needs.js';
import { skip } from '../../support/skip.js';

const root = path.join(__dirname, '../../../..');

const lack =
  process.env['LAB'] === '1' ? lacking(stockMachine) : 'it needs the devices of the lab: npm run lab';

/** Whether this is a machine of the lab with the devices that the examples drive. */
export const inLab = lack === undefined;

/** Skips a suite on a machine that does not have the lab's devices. */
export function needsLab(suite: Mocha.Context): void {
  if (lack !== undefined) skip(suite, lack);
}

/** For suites that take NICs: skipped where there are none; every test leaves the machine as it was, and no program. */
export function leavesMachineAsItWas(): void {
  let initially: Awaited<ReturnType<typeof machineState>>;
  before(function () {
    needsLab(this);
  });
  beforeEach(async () => {
    initially = await machineState();
  });
  afterEach('gives everything back', async () => {
    await endPrograms();
    assert.deepEqual(await machineState(), initially);
  });
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  /** Resolves when the standard output matches; rejects when the program ends before. */
  says(pattern: RegExp): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  readonly ended: Promise<Ended>;
}

const running = new Set<Running>();

/** Ends what a failed test left running. */
export async function endPrograms(): Promise<void> {
  for (const program of running) {
    program.kill('SIGTERM');
    await program.ended;
  }
}

/** Starts a compiled program of this package: `dist/<script>`. */
export function start(script: string, ...args: string[]): Running {
  const child = spawn(process.execPath, [path.join(root, 'dist', script), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', code => resolve({ code, stdout, stderr }));
  });
  const says = (pattern: RegExp): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (pattern.test(stdout)) resolve();
      };
      child.stdout.on('data', look);
      child.on('close', () => reject(new Error(`It ended without saying ${pattern}:\n${stdout}${stderr}`)));
      look();
    });
  const program: Running = { says, kill: signal => child.kill(signal), ended };
  running.add(program);
  child.on('close', () => running.delete(program));
  return program;
}

/** Runs a program to its end. */
export function runProgram(script: string, ...args: string[]): Promise<Ended> {
  return start(script, ...args).ended;
}

/** What a function that belongs to a program prints and returns, without a process for it. */
export async function captured(work: () => Promise<number>): Promise<Ended> {
  const { log, error } = console;
  const [stdout, stderr]: [string[], string[]] = [[], []];
  console.log = (...words: unknown[]) => stdout.push(words.join(' '));
  console.error = (...words: unknown[]) => stderr.push(words.join(' '));
  try {
    return { code: await work(), stdout: stdout.join('\n'), stderr: stderr.join('\n') };
  } finally {
    Object.assign(console, { log, error });
  }
}

/** The interface of the NIC that stays with the kernel. */
export function peerName(): string {
  const [name] = interfacesOf(devices.nicB);
  return name ?? assert.fail(`${devices.nicB} is not with its kernel driver`);
}

/** What must be the same before and after anything that takes a NIC. */
export async function machineState(): Promise<{
  drivers: Record<string, string | undefined>;
  addresses: string;
}> {
  const drivers = Object.fromEntries(
    (stockMachine.devices ?? []).map(address => [address, findDevice(address).driver]),
  );
  return { drivers, addresses: await runOrThrow('ip', ['-4', '-oneline', 'address', 'show']) };
}

/** Whether the interface was set up, whatever its link does. */
export function isSetUp(name: string): boolean {
  return (Number(readFileSync(`/sys/class/net/${name}/flags`, 'utf8')) & 1) !== 0;
}

/** One of the kernel's counters of an interface. */
export function interfaceCounter(name: string, counter: string): number {
  return Number(readFileSync(`/sys/class/net/${name}/statistics/${counter}`, 'utf8'));
}
