import assert from 'node:assert/strict';
import path from 'node:path';
import { createProcess } from '../../support/processes';

type Support = typeof import('../../support/fake-kernel') & typeof import('../../support/fake-sysfs');
const support = path.join(__dirname, '..', '..', 'support');
const modules = { kernel: path.join(support, 'fake-kernel'), sysfs: path.join(support, 'fake-sysfs') };

describe('a bound device is given back', () => {
  const endings: Record<string, { code: number | null; signal?: string; backs?: number }> = {
    'at the end': { code: 0 },
    'by process.exit()': { code: 5 },
    'by an uncaught exception': { code: 1 },
    'by an unhandled rejection': { code: 1 },
    'by SIGINT': { code: null, signal: 'SIGINT' },
    'by SIGTERM': { code: null, signal: 'SIGTERM' },
    'by SIGHUP': { code: null, signal: 'SIGHUP' },
    'by a handler that exits': { code: 6 },
    'by a handler that goes on': { code: 0 },
    'by a handler of the first signal only': { code: 0 },
    'not by SIGKILL': { code: null, signal: 'SIGKILL', backs: 0 },
  };

  for (const [how, { code, signal = null, backs = 1 }] of Object.entries(endings)) {
    it(how, async () => {
      const ended = await createProcess(
        async ({ require, vfio }, { modules: paths, how: ending }) => {
          const { FakeKernel } = require(paths.kernel) as Support;
          const { FakeSysfs } = require(paths.sysfs) as Support;
          const kernel = new FakeKernel();
          const sysfs = new FakeSysfs();
          sysfs.add('0000:03:00.0', 'e1000e', 12);
          const device = await vfio.Device.open('03:00.0', { bind: true });
          // Said at once: nothing runs after a signal.
          sysfs.writes.push = line =>
            process.stdout.write(`${line}, device ${device.closed ? 'closed' : 'open'}\n`) ? 1 : 0;
          const signal = /SIG\w+/.exec(ending)?.[0];
          if (ending.includes('handler that exits')) process.on('SIGTERM', () => process.exit(6));
          if (ending.includes('goes on')) process.on('SIGTERM', () => console.log('not yet'));
          if (ending.includes('first signal only')) process.once('SIGTERM', () => console.log('not yet'));
          if (ending.includes('process.exit()')) process.exit(5);
          if (ending.includes('exception')) {
            setImmediate(() => {
              throw new Error('on purpose');
            });
          }
          if (ending.includes('rejection')) void Promise.reject(new Error('on purpose'));
          if (signal !== undefined) process.kill(process.pid, signal);
          if (ending.includes('handler')) process.kill(process.pid, 'SIGTERM');
          // Long enough for a signal to come; nothing else keeps this process alive.
          setTimeout(() => kernel.take(), 100);
        },
        { modules, how },
      );
      assert.deepEqual([ended.code, ended.signal], [code, signal], ended.stderr);
      const lines = ended.stdout.trim().split('\n');
      const given = lines.filter(line => line === 'drivers/e1000e/bind 0000:03:00.0, device closed');
      assert.equal(given.length, backs, ended.stdout);
      if (/goes on|first signal/.test(how))
        assert.equal(lines[0], 'not yet', 'the program decides when it ends');
    });
  }
});
