import assert from 'node:assert/strict';
import { devices } from '../../../lab/devices';
import { createProcess } from '../../support/processes';
import { bound } from '../support/bound';
import { labSuite } from '../support/suite';
import { groupOf } from '../support/sysfs';

interface Failure {
  code: string;
  message: string;
  path?: string;
}
type Answer = string | number | Failure;
const nobody = 65534;
const limit = 2 ** 20;

/**
 * One process plays all of it, as each costs a second: it becomes an ordinary user, tries, and has a shell that stayed root
 * hand the group over.
 */
labSuite('an ordinary user', () => {
  bound(devices.edu);
  let answers: Record<string, Answer>;
  before('run a process as one', async () => {
    const node = `/dev/vfio/${groupOf(devices.edu)}`;
    const data = { address: devices.edu, other: devices.nicA, node, nobody, limit };
    const { stdout, stderr, code } = await createProcess(
      async ({ vfio, require }, { address, other, node, nobody, limit }) => {
        const { spawn } = require('node:child_process') as typeof import('node:child_process');
        const steps = `read go; chown ${nobody} ${node} && prlimit --pid ${process.pid} --memlock=${limit}`;
        const root = spawn('sh', ['-c', steps], { stdio: ['pipe', 'inherit', 'inherit'] });
        const answers: Record<string, Answer> = {};
        const answer = async (
          name: string,
          ask: () => string | number | Promise<string | number>,
        ): Promise<void> => {
          try {
            answers[name] = await ask();
          } catch (error) {
            const { code, message, path } = error as Failure;
            answers[name] = { code, message, ...(path === undefined ? {} : { path }) };
          }
        };
        const opened = async (address: string, options?: object): Promise<string> => {
          const device = await vfio.Device.open(address, options);
          await device.close();
          return 'opened';
        };
        // The package itself may lie where only root can read it.
        vfio.Container.open().close();
        process.setgroups?.([]);
        process.setgid?.(nobody);
        process.setuid?.(nobody);
        await answer('open', () => opened(address));
        await answer('group', () => vfio.Group.open(address).id);
        await answer('bind', () => opened(other, { bind: true }));
        await answer('list', () => vfio.findDevice(address).className);
        await answer('doctor', () => JSON.stringify(vfio.doctor(address).checks.filter(check => !check.ok)));
        root.stdin.end('go\n');
        await new Promise(resolve => root.once('exit', resolve));
        await answer('open after chown', () => opened(address));
        const device = vfio.Device.openSync(address);
        await answer('register', () => device.bar(0).read32(0));
        await answer('enough memory', () => device.dma.alloc(limit / 2).byteLength);
        await answer('too much memory', () => device.dma.alloc(limit).byteLength);
        await answer(
          'too much memory, off the loop',
          async () => (await device.dma.allocAsync(limit)).byteLength,
        );
        await answer('after that', () => device.dma.alloc(4096).byteLength);
        device.closeSync();
        await answer('doctor after chown', () =>
          JSON.stringify(
            vfio
              .doctor(address)
              .checks.filter(check => !check.ok)
              .map(check => check.name),
          ),
        );
        process.stdout.write(JSON.stringify(answers));
      },
      data,
      { timeoutMs: 240_000 },
    );
    assert.deepEqual([stderr, code], ['', 0]);
    answers = JSON.parse(stdout) as typeof answers;
  });

  function failure(name: string): Failure {
    const answer = answers[name];
    return typeof answer === 'object' ? answer : assert.fail(`${name}: ${String(answer)}`);
  }

  it('may not open a group of root’s; the error says whose it is and which udev rule would help', () => {
    for (const name of ['open', 'group']) {
      const { code, message, path } = failure(name);
      assert.equal(code, 'EACCES');
      assert.equal(path, `/dev/vfio/${groupOf(devices.edu)}`);
      assert.match(message, /\/dev\/vfio\/\d+ belongs to user 0, group 0, mode 0600/);
      assert.match(message, /this process runs as user 65534, group 65534/);
      assert.match(message, /SUBSYSTEM=="vfio", GROUP="vfio", MODE="0660"/);
    }
  });

  it('may not bind a device', () => {
    const { code, message, path } = failure('bind');
    assert.equal(code, 'EACCES');
    assert.match(message, /Binding 0000:01:00\.0 to vfio-pci/);
    assert.match(path ?? '', /driver_override$/);
  });

  it('may look at devices, and is told what is missing', () => {
    assert.equal(typeof answers['list'], 'string');
    const checks = JSON.parse(answers['doctor'] as string) as {
      name: string;
      detail: string;
      cure: string;
    }[];
    const node =
      checks.find(check => check.name === 'group-node') ?? assert.fail(answers['doctor'] as string);
    assert.match(node.detail, /belongs to user 0, group 0, mode 0600; user 65534 may not open it/);
    assert.match(node.cure, /udev rule/);
  });

  it('opens and drives the device once the node is his', () => {
    assert.equal(answers['open after chown'], 'opened');
    assert.equal(answers['register'], 0x0100_00ed);
  });

  it('may pin as much memory as his limit allows, and the error of more says the numbers', () => {
    assert.equal(answers['enough memory'], limit / 2);
    for (const name of ['too much memory', 'too much memory, off the loop']) {
      const { code, message } = failure(name);
      assert.equal(code, 'ENOMEM');
      assert.match(message, /Mapping 1048576 bytes at IOVA/);
      assert.match(message, /RLIMIT_MEMLOCK allows 1048576 bytes/);
      assert.match(message, /524288 are in use and 1048576 were asked for/);
      assert.match(message, /ulimit -l|LimitMEMLOCK/);
    }
    assert.equal(answers['after that'], 4096);
  });

  it('is told by the doctor that the limit is small', () => {
    assert.deepEqual(JSON.parse(answers['doctor after chown'] as string), ['memlock']);
  });
});
