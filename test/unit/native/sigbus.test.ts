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
});
