import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { devices } from '../../lab/devices.js';
import { LabError } from '../../lab/error.js';
import { bootLab, type CommandOptions, type Lab } from '../../lab/run.js';
import { TextSink } from './text-sink.js';

/** One machine for many commands. Runs on the host; the other suites run in what this one proves to work. */
describe('lab: a booted machine', function () {
  this.timeout(150_000);
  let lab: Lab;
  let outDir: string;

  before(async () => {
    outDir = mkdtempSync(path.join(tmpdir(), 'lab-test,out-'));
    lab = await bootLab({ outDir });
  });

  after(async () => {
    await lab[Symbol.asyncDispose]();
    rmSync(outDir, { recursive: true });
  });

  async function run(argv: string[], options: Partial<CommandOptions> = {}) {
    const stdout = new TextSink();
    const stderr = new TextSink();
    const result = await lab.run({ argv, stdout, stderr, ...options });
    return { ...result, stdout: stdout.text, stderr: stderr.text, bytes: stdout.bytes };
  }

  it('runs a kernel of its own', async () => {
    const { stdout, exitCode } = await run(['uname', '-n']);
    assert.deepEqual({ stdout, exitCode }, { stdout: 'vfio-lab\n', exitCode: 0 });
  });

  it('has a clock that goes no faster than that of the host', async () => {
    const start = performance.now();
    const { stdout } = await run(['sh', '-c', 'cat /proc/uptime; sleep 1; cat /proc/uptime']);
    const seconds = (performance.now() - start) / 1000;
    // Uptimes have hundredths; as numbers their difference may be a little less than it is.
    const [begin = 0, end = 0] = stdout.split('\n').map(line => Math.round(100 * Number(line.split(' ')[0])));
    const passed = (end - begin) / 100;
    assert.ok(passed >= 1);
    assert.ok(passed < seconds + 0.02, `${passed} s of the guest's took ${seconds} s`);
  });

  it('returns exit codes', async () => {
    assert.equal((await run(['true'])).exitCode, 0);
    assert.equal((await run(['sh', '-c', 'exit 3'])).exitCode, 3);
  });

  it('returns death by a signal as a shell does', async () => {
    const { exitCode, signal } = await run(['sh', '-c', 'kill -SEGV $$']);
    assert.deepEqual({ exitCode, signal }, { exitCode: 139, signal: 11 });
  });

  it('tells what the kernel said last', async () => {
    await run(['sh', '-c', 'for i in 1 2 3; do echo "<3>something $i" >/dev/kmsg; done']);
    assert.match(await lab.kernelSaid(2), /^[^\n]*something 2\n[^\n]*something 3$/);
  });

  it('says why a command cannot run', async () => {
    const missing = await run(['no-such-command']);
    assert.equal(missing.exitCode, 127);
    assert.match(missing.stderr, /cannot run no-such-command: No such file or directory/);
    const plain = await run(['/etc/passwd']);
    assert.equal(plain.exitCode, 126);
    assert.match(plain.stderr, /cannot run \/etc\/passwd: Permission denied/);
  });

  it('says that a working directory is not there', async () => {
    const { exitCode, stderr } = await run(['true'], { cwd: '/no/such/place' });
    assert.equal(exitCode, 125);
    assert.match(stderr, /cannot enter \/no\/such\/place/);
  });

  it('keeps standard output and standard error apart', async () => {
    const { stdout, stderr } = await run(['sh', '-c', 'echo out; echo err >&2']);
    assert.deepEqual({ stdout, stderr }, { stdout: 'out\n', stderr: 'err\n' });
  });

  it('passes arguments and environment on as they are', async () => {
    const { stdout } = await run(['sh', '-c', 'printf "<%s>" "$X" "$@"', 'sh', 'a  b', '', '$X', '\n'], {
      env: { X: 'it is "so"', PATH: process.env['PATH'] },
    });
    assert.equal(stdout, '<it is "so"><a  b><><$X><\n>');
  });

  it('runs in the same directory, with the same files and the same node', async () => {
    const { stdout } = await run([process.execPath, '-p', '`${process.cwd()} ${process.version}`']);
    assert.equal(stdout, `${process.cwd()} ${process.version}\n`);
    assert.equal((await run(['cat', __filename])).stdout, readFileSync(__filename, 'utf8'));
  });

  it('gives an empty standard input unless one is given', async () => {
    assert.equal((await run(['cat'])).stdout, '');
    assert.equal((await run(['cat'], { stdin: Readable.from(['one ', 'two']) })).stdout, 'one two');
  });

  it('takes 20 MB of any bytes in and brings them out again', async () => {
    const data = randomBytes(20_000_000);
    const { bytes } = await run(['cat'], { stdin: Readable.from([data]) });
    const hash = (buffer: Buffer): string => createHash('sha256').update(buffer).digest('hex');
    assert.equal(hash(bytes), hash(data));
  });

  it('waits for a slow reader without losing anything', async () => {
    const slow = new PassThrough({ highWaterMark: 1024 });
    let length = 0;
    const reading = (async () => {
      for await (const chunk of slow) {
        length += (chunk as Buffer).length;
        await new Promise(resolve => setTimeout(resolve, 1));
      }
    })();
    await lab.run({ argv: ['head', '-c', '3000000', '/dev/zero'], stdout: slow, stderr: new TextSink() });
    slow.end();
    await reading;
    assert.equal(length, 3_000_000);
  });

  it('does not wait for input that the command leaves unread', async () => {
    for (const argv of [['true'], ['head', '-c', '3']]) {
      const endless = new PassThrough();
      endless.write(Buffer.alloc(1_000_000));
      assert.equal((await run(argv, { stdin: endless })).exitCode, 0);
    }
  });

  it('ends with the command, not with what it left running', async () => {
    const { stdout } = await run(['sh', '-c', 'sleep 1000 & setsid sleep 1000 & echo done']);
    assert.equal(stdout, 'done\n');
    assert.equal((await run(['sh', '-c', 'grep -l "^sleep" /proc/[0-9]*/comm | wc -l'])).stdout, '0\n');
  });

  it('gives a terminal on request', async () => {
    const { stdout } = await run(['sh', '-c', 'tty; stty size'], { tty: { rows: 33, columns: 77 } });
    assert.equal(stdout, '/dev/pts/0\r\n33 77\r\n');
  });

  it('shares the output directory both ways', async () => {
    const { exitCode } = await run(['sh', '-c', 'echo from the guest >"$LAB_OUT/file"']);
    assert.equal(exitCode, 0);
    assert.equal(readFileSync(path.join(outDir, 'file'), 'utf8'), 'from the guest\n');
  });

  it('cannot change the host', async () => {
    const { stderr, exitCode } = await run(['touch', path.join(process.cwd(), 'package.json')]);
    assert.notEqual(exitCode, 0);
    assert.match(stderr, /Read-only file system/);
    assert.equal((await run(['sh', '-c', 'touch /tmp/x /run/x /var/tmp/x /dev/shm/x'])).exitCode, 0);
  });

  it('has the devices where devices.ts says', async () => {
    const ids = {
      [devices.nicA]: '0x8086 0x10d3',
      [devices.nicB]: '0x8086 0x10d3',
      [devices.nvme]: '0x1b36 0x0010',
      [devices.edu]: '0x1234 0x11e8',
      [devices.testdev]: '0x1b36 0x0005',
      [devices.bridge]: '0x1b36 0x000e',
      [devices.pairEdu]: '0x1234 0x11e8',
      [devices.pairTestdev]: '0x1b36 0x0005',
    };
    const script = 'for a; do cd /sys/bus/pci/devices/$a; echo $a $(cat vendor device); done';
    const { stdout } = await run(['sh', '-c', script, 'sh', ...Object.keys(ids)]);
    assert.equal(
      stdout,
      Object.entries(ids)
        .map(([address, id]) => `${address} ${id}\n`)
        .join(''),
    );
  });

  it('has one group for each device, and one for the pair', async () => {
    const members = async (address: string): Promise<string[]> => {
      const { stdout } = await run(['ls', `/sys/bus/pci/devices/${address}/iommu_group/devices`]);
      return stdout.trim().split('\n');
    };
    for (const address of [devices.nicA, devices.nicB, devices.nvme, devices.edu, devices.testdev]) {
      assert.deepEqual(await members(address), [address]);
    }
    assert.deepEqual(await members(devices.pairEdu), [devices.bridge, devices.pairEdu, devices.pairTestdev]);
  });

  it('binds a device to vfio-pci', async () => {
    const script = `
      cd /sys/bus/pci/devices/$1
      echo vfio-pci >driver_override && echo $1 >driver/unbind && echo $1 >/sys/bus/pci/drivers_probe
      ls /dev/vfio/$(basename $(readlink iommu_group))`;
    const { stdout, stderr } = await run(['sh', '-c', script, 'sh', devices.nicA]);
    assert.match(stdout, /^\/dev\/vfio\/\d+\n$/, stderr);
  });

  it('takes one command at a time', async () => {
    const first = run(['sleep', '0.2']);
    await assert.rejects(run(['true']), new LabError('a command is running in this machine already'));
    assert.equal((await first).exitCode, 0);
  });

  // The last one, because it costs the machine.
  it('gives up on a command that takes too long', async () => {
    await assert.rejects(
      run(['sleep', '1000'], { timeoutMs: 300 }),
      new LabError('sleep 1000 did not end within 0.3 s'),
    );
  });
});
