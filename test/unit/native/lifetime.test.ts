import assert from 'node:assert/strict';
import type { MemoryHandle, NativeAddon } from '../../../lib/native';
import { createProcess, createWorker, type Body } from '../../support/processes';
import { openFiles } from './support';

/** A worker that is busy in the way a name says, and tells when it is. */
const busy: Record<string, Body<null>> = {
  'with everything open': ({ native, require }) => {
    const { parentPort } = require('node:worker_threads') as typeof import('node:worker_threads');
    const held = [
      native.containerOpen('/dev/null'),
      native.groupOpen('/dev/null'),
      native.eventFdCreate(),
      native.memoryBuffer(native.memoryAlloc(8192, 0, 0, -1, false) as MemoryHandle),
      native.memoryFromView(new Uint8Array(8192)),
    ];
    setInterval(() => held.length, 1000);
    parentPort?.postMessage('ready');
  },
  'with events coming in': ({ native, require }) => {
    const { parentPort } = require('node:worker_threads') as typeof import('node:worker_threads');
    const eventfd = native.eventFdCreate();
    let calls = 0;
    native.loopStart(() => {
      native.eventFdSignal(eventfd, 1);
      if (++calls === 100) parentPort?.postMessage('ready');
    });
    native.loopAdd(eventfd, 1, true, false);
    native.loopRef(true);
    native.eventFdSignal(eventfd, 1);
  },
  'with an idle loop': ({ native, require }) => {
    const { parentPort } = require('node:worker_threads') as typeof import('node:worker_threads');
    native.loopStart(() => undefined);
    native.loopRef(true);
    parentPort?.postMessage('ready');
  },
  'with work on the thread pool': ({ native, require }) => {
    const { parentPort } = require('node:worker_threads') as typeof import('node:worker_threads');
    const again = () => {
      void Promise.resolve(native.memoryAlloc(2 ** 24, 0, 0, -1, true)).then(again);
    };
    for (let i = 0; i < 8; i++) again();
    parentPort?.postMessage('ready');
  },
  'with failing work on the thread pool': ({ native, require }) => {
    const { parentPort } = require('node:worker_threads') as typeof import('node:worker_threads');
    const group = native.groupOpen('/dev/null');
    const again = () => {
      Promise.resolve(native.groupGetDeviceFd(group, 'x', true)).catch(again);
    };
    for (let i = 0; i < 8; i++) again();
    parentPort?.postMessage('ready');
  },
  'while it waits for an eventfd': ({ native, require }) => {
    const { parentPort } = require('node:worker_threads') as typeof import('node:worker_threads');
    parentPort?.postMessage('ready');
    native.eventFdWait(native.eventFdCreate(), -1);
  },
};

describe('native lifetime', () => {
  for (const [name, body] of Object.entries(busy)) {
    it(`a worker can be terminated ${name}`, async () => {
      // The first one of a process opens what the process keeps.
      const first = createWorker(body, null);
      await first.message();
      await first.worker.terminate();
      const files = openFiles();
      for (let i = 0; i < 3; i++) {
        const { worker, message } = createWorker(body, null);
        await message();
        assert.equal(await worker.terminate(), 1);
      }
      assert(openFiles() <= files, `${openFiles()} files are open, ${files} were before`);
    });
  }

  it('workers load it at the same time, and end by themselves', async () => {
    const workers = Array.from({ length: 4 }, () =>
      createWorker(({ native }) => {
        const eventfd = native.eventFdCreate();
        native.loopStart(() => native.loopRef(false));
        native.loopAdd(eventfd, 1, true, false);
        native.eventFdSignal(eventfd, 1);
        native.loopRef(true);
      }, null),
    );
    assert.deepEqual(await Promise.all(workers.map(({ ended }) => ended)), [0, 0, 0, 0]);
  });

  it('counts per environment', async () => {
    const { message, ended } = createWorker(({ native, require }) => {
      const { parentPort } = require('node:worker_threads') as typeof import('node:worker_threads');
      const held = native.eventFdCreate();
      parentPort?.postMessage([native.liveObjects().eventfds, native.eventFdTake(held)]);
    }, null);
    assert.deepEqual(await message(), [1, 0]);
    await ended;
  });

  it('a process whose only user was a worker ends well', async () => {
    const { code, signal, stdout } = await createProcess(async ({ require, library }) => {
      const { Worker } = require('node:worker_threads') as typeof import('node:worker_threads');
      const source = `
        const native = require(${JSON.stringify(library)}).native();
        native.loopStart(() => 1);
        native.memoryAlloc(4096, 0, 0, -1, true);`;
      for (let i = 0; i < 3; i++) {
        await new Promise(resolve => new Worker(source, { eval: true }).once('exit', resolve));
      }
      console.log('ended');
    }, null);
    assert.deepEqual([code, signal, stdout], [0, null, 'ended\n']);
  });

  const endings: Record<string, Body<string>> = {
    'at its natural end': ({ native }, holding) => {
      (globalThis.eval(holding) as (addon: NativeAddon) => void)(native);
    },
    'by process.exit()': ({ native }, holding) => {
      (globalThis.eval(holding) as (addon: NativeAddon) => void)(native);
      process.exit(0);
    },
    'by process.exit() in a callback of the loop': ({ native }, holding) => {
      (globalThis.eval(holding) as (addon: NativeAddon) => void)(native);
      const eventfd = native.eventFdCreate();
      native.loopStart(() => process.exit(0));
      native.loopAdd(eventfd, 1, true, false);
      native.eventFdSignal(eventfd, 1);
      native.loopRef(true);
    },
    'by process.exit() with work on the thread pool': ({ native }, holding) => {
      (globalThis.eval(holding) as (addon: NativeAddon) => void)(native);
      for (let i = 0; i < 16; i++) void native.memoryAlloc(2 ** 22, 0, 0, -1, true);
      process.exit(0);
    },
    'by process.exit() while workers run': async ({ native, require, library }, holding) => {
      (globalThis.eval(holding) as (addon: NativeAddon) => void)(native);
      const { Worker } = require('node:worker_threads') as typeof import('node:worker_threads');
      const source = `
        const native = require(${JSON.stringify(library)}).native();
        (${holding})(native);
        const eventfd = native.eventFdCreate();
        native.loopStart(() => native.eventFdSignal(eventfd, 1));
        native.loopAdd(eventfd, 1, true, false);
        native.loopRef(true);
        native.eventFdSignal(eventfd, 1);
        require('node:worker_threads').parentPort.postMessage('ready');`;
      const workers = [new Worker(source, { eval: true }), new Worker(source, { eval: true })];
      await Promise.all(workers.map(worker => new Promise(resolve => worker.once('message', resolve))));
      process.exit(0);
    },
  };
  const holding = `(native) => {
    globalThis.held = [
      native.containerOpen('/dev/null'),
      native.groupOpen('/dev/null'),
      native.eventFdCreate(),
      native.memoryBuffer(native.memoryAlloc(8192, 0, 0, -1, false)),
      native.memoryFromView(new Uint8Array(8192)),
    ];
  }`;
  for (const [name, body] of Object.entries(endings)) {
    it(`a process ends ${name}, with everything open`, async () => {
      const { code, signal, stderr } = await createProcess(body, holding);
      assert.deepEqual({ code, signal, stderr }, { code: 0, signal: null, stderr: '' });
    });
  }

  it('everything is closed at the end of the process, also what is just being opened, and nothing is opened after', async () => {
    const { code, stdout, stderr } = await createProcess(async ({ native, require }) => {
      const fs = require('node:fs') as typeof import('node:fs');
      const open = () => fs.readdirSync('/proc/self/fd').length;
      const container = native.containerOpen('/dev/null');
      // Opening and closing once first, so that the thread pool's own files are there.
      native.deviceClose(await native.deviceOpenCdev('/dev/null', true), false);
      const before = open();
      const heardOf = await native.deviceOpenCdev('/dev/null', true);
      const inFlight = Array.from({ length: 16 }, async () => native.deviceOpenCdev('/dev/null', true));
      native.closeAll();
      const codes = new Set<string | undefined>();
      for (const outcome of await Promise.allSettled(inFlight)) {
        if (outcome.status === 'fulfilled') native.deviceClose(outcome.value, false);
        else codes.add((outcome.reason as NodeJS.ErrnoException).code);
      }
      try {
        native.groupOpen('/dev/null');
      } catch (error) {
        codes.add((error as NodeJS.ErrnoException).code);
      }
      native.deviceClose(heardOf, false);
      native.containerClose(container);
      const left = open() - before + 1;
      console.log([...codes].join(), left, native.liveObjects().containers, native.liveObjects().devices);
    }, null);
    assert.deepEqual([code, stdout, stderr], [0, 'ERR_VFIO_CLOSED 0 0 0\n', '']);
  });

  it('closing waits for what is in flight', async () => {
    const { code, stdout } = await createProcess(async ({ native, require }) => {
      const fs = require('node:fs') as typeof import('node:fs');
      let late = 0;
      for (let i = 0; i < 50; i++) {
        const device = await native.deviceOpenCdev('/dev/null', true);
        const numbers = fs.readdirSync('/proc/self/fd').length;
        const resets = [1, 2, 3, 4].map(() => Promise.resolve(native.deviceReset(device, true)));
        native.deviceClose(device, false);
        if (fs.readdirSync('/proc/self/fd').length !== numbers - 1) late++;
        await Promise.allSettled(resets);
      }
      console.log(late);
    }, null);
    assert.deepEqual([code, stdout], [0, '0\n']);
  });

  it('collected handles give back their files', async () => {
    const { code, stdout, stderr } = await createProcess(
      async ({ native, require }) => {
        const fs = require('node:fs') as typeof import('node:fs');
        const open = () => fs.readdirSync('/proc/self/fd').length;
        native.loopStart(() => undefined);
        const before = open();
        for (let i = 0; i < 50; i++) {
          native.containerOpen('/dev/null');
          native.groupOpen('/dev/null');
          native.loopAdd(native.eventFdCreate(), i, true, false);
        }
        const between = open();
        for (let i = 0; i < 5; i++) {
          (globalThis as { gc?: () => void }).gc?.();
          await new Promise(resolve => setImmediate(resolve));
        }
        const { containers, groups, eventfds } = native.liveObjects();
        console.log(between - before, open() - before, containers, groups, eventfds);
      },
      null,
      { nodeArgs: ['--expose-gc'] },
    );
    assert.equal(stderr, '');
    assert.deepEqual([code, stdout], [0, '150 0 0 0 0\n']);
  });
});
