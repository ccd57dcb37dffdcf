import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const main = path.join(__dirname, '..', '..', 'lab', 'main.js');

interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** The lab as a user starts it, with temporary files in a place that can be looked into. */
function start(
  argv: readonly string[],
  temporary: string,
  cwd = '/',
  extra: Record<string, string> = {},
): { child: ChildProcess; ended: Promise<Outcome> } {
  const env = { ...process.env, TMPDIR: temporary, INIT_CWD: cwd, ...extra };
  const child = spawn(process.execPath, [main, ...argv], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data: Buffer) => (stdout += data.toString()));
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
  const ended = new Promise<Outcome>(resolve => child.on('close', code => resolve({ code, stdout, stderr })));
  return { child, ended };
}

/** QEMU processes that use files of a directory. */
function machinesUsing(directory: string): string[] {
  return readdirSync('/proc').filter(pid => {
    try {
      return /^\d+$/.test(pid) &&
        readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith(`qemu-system-x86_64\0`)
        ? readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(directory)
        : false;
    } catch {
      return false;
    }
  });
}

async function until(what: string, condition: () => boolean): Promise<void> {
  for (const start = performance.now(); !condition();) {
    assert.ok(performance.now() - start < 60_000, `${what} did not happen`);
    await new Promise(resolve => setTimeout(resolve, 20));
  }
}

/** A directory with a QEMU that aborts, `times` times, and then is the real one. */
function fragileQemu(times: number): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'lab-qemu-'));
  const script = `#!/bin/sh
    PATH=\${PATH#*:}
    if [ "$1" != --version ] && [ "$(ls ${directory} | wc -l)" -le ${times} ]; then
      touch ${directory}/$$
      echo 'Assertion failed, says QEMU' >&2
      kill -ABRT $$
    fi
    exec qemu-system-x86_64 "$@"`;
  writeFileSync(path.join(directory, 'qemu-system-x86_64'), script, { mode: 0o755 });
  return directory;
}

describe('lab: the command line', function () {
  this.timeout(150_000);
  let temporary: string;

  beforeEach(() => {
    temporary = mkdtempSync(path.join(tmpdir(), 'lab-test-'));
  });

  afterEach(() => {
    assert.deepEqual(machinesUsing(temporary), [], 'QEMU was left running');
    assert.deepEqual(readdirSync(temporary), [], 'files were left');
    rmSync(temporary, { recursive: true });
  });

  it('returns output and exit code, two machines and two kernels at once', async () => {
    const script = 'pwd; uname -r | cut -d. -f1,2; echo oops >&2; exit 7';
    const outcomes = await Promise.all([
      start(['sh', '-c', script], temporary, '/usr').ended,
      start(['--profile', 'stock-6.12', 'sh', '-c', script], temporary, '/etc').ended,
    ]);
    assert.deepEqual(
      outcomes.map(({ code, stdout }) => ({ code, stdout })),
      [
        { code: 7, stdout: '/usr\n6.1\n' },
        { code: 7, stdout: '/etc\n6.12\n' },
      ],
    );
    for (const { stderr } of outcomes) assert.match(stderr, /^oops$/m);
  });

  it('tells a machine that died from a command that failed', async () => {
    const { code, stderr } = await start(['sh', '-c', 'echo b >/proc/sysrq-trigger'], temporary).ended;
    assert.equal(code, 125);
    assert.match(stderr, /QEMU ended by itself \(exit code 0\)/);
  });

  it('gives a machine up of which a processor lost its timer, by what the kernel says', async () => {
    const complaint = "rcu: rcu_preempt kthread timer wakeup didn't happen for 5251 jiffies!";
    const script = `for i in 1 2 3; do echo "<3>${complaint}" >/dev/kmsg; done; sleep 60`;
    const { code, stderr } = await start(['sh', '-c', script], temporary).ended;
    assert.equal(code, 125);
    assert.match(stderr, /the timer of a processor of the guest has stopped/);
  });

  it('boots again when QEMU dies in the boot, and gives up when it does so twice', async () => {
    for (const [deaths, expected] of [
      [1, { code: 5, stdout: 'up\n' }],
      [2, { code: 125, stdout: '' }],
    ] as const) {
      const bin = fragileQemu(deaths);
      const extra = { PATH: `${bin}:${process.env['PATH'] ?? ''}`, VFIO_LAB_ACCEL: 'tcg' };
      const { code, stdout, stderr } = await start(['sh', '-c', 'echo up; exit 5'], temporary, '/', extra)
        .ended;
      rmSync(bin, { recursive: true });
      assert.deepEqual({ code, stdout }, expected);
      if (deaths === 2)
        assert.match(stderr, /QEMU ended by itself \(SIGABRT\)\nQEMU said:\nAssertion failed, says QEMU/);
    }
  });

  it('cleans up after Ctrl-C during the boot', async () => {
    const { child, ended } = start(['true'], temporary);
    await until('the start of QEMU', () => machinesUsing(temporary).length > 0);
    child.kill('SIGINT');
    assert.equal((await ended).code, 130);
  });

  it('cleans up after SIGTERM during the command', async () => {
    const { child, ended } = start(['sh', '-c', 'echo running; sleep 1000'], temporary);
    child.stdout?.once('data', () => child.kill('SIGTERM'));
    const { code, stdout } = await ended;
    assert.deepEqual({ code, stdout }, { code: 143, stdout: 'running\n' });
  });

  it('ends the machine even when it is killed itself', async () => {
    const { child, ended } = start(['sh', '-c', 'echo running; sleep 1000'], temporary);
    child.stdout?.once('data', () => child.kill('SIGKILL'));
    await ended;
    await until('the end of QEMU', () => machinesUsing(temporary).length === 0);
    for (const name of readdirSync(temporary)) rmSync(path.join(temporary, name), { recursive: true });
  });

  it('answers wrong usage without booting', async () => {
    const wrong = await start(['--profil', 'stock'], temporary).ended;
    assert.deepEqual([wrong.code, wrong.stdout], [2, '']);
    assert.match(wrong.stderr, /unknown option --profil/);
    const unknown = await start(['--profile', 'stok', 'true'], temporary).ended;
    assert.equal(unknown.code, 2);
    assert.match(unknown.stderr, /no profile is called 'stok'; there are: stock, /);
    assert.match((await start(['--list'], temporary).ended).stdout, /^stock /m);
    assert.match((await start(['--help'], temporary).ended).stdout, /^usage: /);
  });
});
