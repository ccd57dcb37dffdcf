import assert from 'node:assert/strict';
import path from 'node:path';
import { type Body, createProcess } from '../../support/processes';

type Support = typeof import('../../support/file-device');
const modules = { device: path.join(__dirname, '..', '..', 'support', 'file-device') };

describe('SIGBUS that is not about a mapping', () => {
  it('ends the process as ever where nobody handles it', async () => {
    const { signal } = await createProcess(({ native, require }, paths) => {
      const { FileDevice } = require(paths.device) as Support;
      const device = new FileDevice();
      native.barAccessors(device.map()).read32(0);
      process.kill(process.pid, 'SIGBUS');
    }, modules);
    assert.equal(signal, 'SIGBUS');
  });

  /** Dies once under the accessors, and tells who was called; then the process gets a SIGBUS from outside. */
  const survive: Body<typeof modules & { order: string }> = async ({ native, require }, paths) => {
    const { FileDevice } = require(paths.device) as Support;
    const told = new Promise(resolve => {
      const listen = () => process.on('SIGBUS', resolve);
      if (paths.order === 'earlier') listen();
      const device = new FileDevice();
      const io = native.barAccessors(device.map());
      if (paths.order === 'later') {
        listen();
        // The next mapping puts the guard in front again.
        new FileDevice().map();
      }
      device.die();
      console.log(io.read32(0), device.deaths());
      process.kill(process.pid, 'SIGBUS');
    });
    setTimeout(() => undefined, 5000);
    console.log(await told);
    process.exit();
  };
  for (const order of ['earlier', 'later']) {
    it(`goes to a handler that was installed ${order}, and that one gets nothing else`, async () => {
      const { code, signal, stdout, stderr } = await createProcess(survive, { ...modules, order });
      assert.deepEqual([code, signal, stdout, stderr], [0, null, '4294967295 1\nSIGBUS\n', '']);
    });
  }

  it('finds the guard again at the next mapping after a handler came between two, and went', async () => {
    const { signal, stdout, stderr } = await createProcess(({ native, require }, paths) => {
      const { FileDevice } = require(paths.device) as Support;
      const heard: string[] = [];
      const listener = (): unknown => heard.push('SIGBUS');
      const devices = [0, 1, 2].map(() => new FileDevice());
      const [first, second, third] = devices as [Device, Device, Device];
      type Device = (typeof devices)[number];
      const before = native.barAccessors(first.map());
      process.on('SIGBUS', listener);
      const between = native.barAccessors(second.map());
      first.die();
      second.die();
      console.log(before.read32(0), between.read32(4096));
      // Takes the process's handler away, whosever it is by now: nothing may die before the next mapping.
      process.off('SIGBUS', listener);
      const after = native.barAccessors(third.map());
      third.die();
      first.answer();
      native.deviceRevive(first.handle);
      console.log(before.read32(0), after.read32(0));
      first.die();
      console.log(before.read32(0), heard.length, ...devices.map(device => device.deaths()));
      process.kill(process.pid, 'SIGBUS');
    }, modules);
    const ones = '4294967295';
    assert.deepEqual([stdout, stderr], [`${ones} ${ones}\n1 ${ones}\n${ones} 0 2 1 1\n`, '']);
    assert.equal(signal, 'SIGBUS', 'from outside it still ends the process');
  });
});
