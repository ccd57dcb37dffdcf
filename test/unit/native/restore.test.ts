import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { native } from '../../../lib/native';
import { createProcess, createWorker } from '../../support/processes';
import { errnos, liveSince, nothingLive, now } from './support';

describe('native restore', () => {
  const addon = native();
  let directory = '';
  const file = (name: string) => path.join(directory, name);
  const text = (name: string) => fs.readFileSync(file(name), 'utf8');

  beforeEach(() => {
    directory = fs.mkdtempSync(path.join(os.tmpdir(), 'vfio-restore-'));
    for (const name of ['a', 'b']) fs.writeFileSync(file(name), '');
  });
  afterEach(() => fs.rmSync(directory, { recursive: true }));

  it('writes once, and says how each write went', async () => {
    for (const async of [false, true]) {
      const before = addon.liveObjects();
      const restore = addon.restoreCreate([
        [file('missing'), 'x'],
        [file('a'), 'first'],
        [directory, 'x'],
        [file('b'), 'second'],
      ]);
      assert.deepEqual(liveSince(before), { ...nothingLive, restores: 1 });
      const results = await addon.restoreRun(restore, async);
      assert.deepEqual(results, [errnos.ENOENT, 0, 21, 0]);
      assert.deepEqual([text('a'), text('b')], ['first', 'second']);
      assert.deepEqual(liveSince(before), nothingLive);
      fs.writeFileSync(file('a'), '');
      assert.deepEqual(now(addon.restoreRun(restore, false)), results);
      assert.equal(text('a'), '');
    }
  });

  it('creates no files', () => {
    now(addon.restoreRun(addon.restoreCreate([[file('new'), 'x']]), false));
    assert(!fs.existsSync(file('new')));
  });

  const endings: Record<string, Parameters<typeof createProcess<string>>[0]> = {
    'the end of the process': ({ native }, target) => native.restoreCreate([[target, 'done']]),
    'process.exit()': ({ native }, target) => {
      native.restoreCreate([[target, 'done']]);
      process.exit(0);
    },
    'process.exit() in an exit handler': ({ native }, target) => {
      process.on('exit', () => {
        native.restoreCreate([[target, 'done']]);
        process.exit(0);
      });
    },
    'an uncaught exception': ({ native }, target) => {
      native.restoreCreate([[target, 'done']]);
      throw new Error('nobody catches this');
    },
    'an unhandled rejection': ({ native }, target) => {
      native.restoreCreate([[target, 'done']]);
      void Promise.reject(new Error('nobody catches this'));
    },
  };
  for (const [ending, body] of Object.entries(endings)) {
    it(`happens at ${ending}`, async () => {
      const { signal } = await createProcess(body, file('a'));
      assert.equal(signal, null);
      assert.equal(text('a'), 'done');
    });
  }

  it('survives its handle', async () => {
    const { code } = await createProcess(
      async ({ native }, target: string) => {
        native.restoreCreate([[target, 'done']]);
        for (let i = 0; i < 5; i++) {
          (globalThis as { gc?: () => void }).gc?.();
          await new Promise(resolve => setImmediate(resolve));
        }
        process.exitCode = native.liveObjects().restores;
      },
      file('a'),
      { nodeArgs: ['--expose-gc'] },
    );
    assert.equal(code, 1);
    assert.equal(text('a'), 'done');
  });

  it('undoes the last change first at the end', async () => {
    await createProcess(({ native }, target) => {
      native.restoreCreate([[target, 'older']]);
      native.restoreCreate([[target, 'newer']]);
    }, file('a'));
    assert.equal(text('a'), 'older');
  });

  it('happens when a worker is terminated, before terminate() resolves', async () => {
    const { worker, message } = createWorker(({ native, require }, target: string) => {
      native.restoreCreate([[target, 'done']]);
      const { parentPort } = require('node:worker_threads') as typeof import('node:worker_threads');
      parentPort?.postMessage('ready');
      setInterval(() => undefined, 1000);
    }, file('a'));
    await message();
    assert.equal(text('a'), '');
    await worker.terminate();
    assert.equal(text('a'), 'done');
  });
});
