import assert from 'node:assert/strict';
import path from 'node:path';
import { type Body, createProcess, createWorker } from '../../support/processes';
import { collectGarbage, resources } from '../../support/resources';

type Support = typeof import('../../support/vector');
const modules = { vector: path.join(__dirname, '..', '..', 'support', 'vector') };

/** Workers that say when they are busy in the way of their name. */
const busy: Record<string, Body<typeof modules>> = {
  'with events that flow': ({ require }, paths) => {
    const { parentPort } = require('node:worker_threads') as typeof import('node:worker_threads');
    const { looseVector } = require(paths.vector) as Support;
    let events = 0;
    for (let i = 0; i < 16; i++) {
      const { vector } = looseVector();
      vector.on('interrupt', () => {
        vector.eventfd.signal();
        if (++events === 1000) parentPort?.postMessage('busy');
      });
      vector.eventfd.signal();
    }
  },
  'in an iteration': async ({ require }, paths) => {
    const { parentPort } = require('node:worker_threads') as typeof import('node:worker_threads');
    const { vector } = (require(paths.vector) as Support).looseVector();
    let events = 0;
    vector.eventfd.signal();
    for await (const count of vector) {
      vector.eventfd.signal(count);
      if (++events === 100) parentPort?.postMessage('busy');
    }
  },
  'in waitSync()': ({ require }, paths) => {
    const { parentPort } = require('node:worker_threads') as typeof import('node:worker_threads');
    parentPort?.postMessage('busy');
    (require(paths.vector) as Support).looseVector().vector.waitSync();
  },
};

describe('worker termination', () => {
  for (const [name, body] of Object.entries(busy)) {
    it(`ends a worker ${name}`, async () => {
      const { message, worker, ended } = createWorker(body, modules);
      await message();
      assert.equal(await worker.terminate(), 1);
      assert.equal(await ended, 1);
    });
  }

  it('gives everything back, twelve workers later', async () => {
    const round = async (): Promise<void> => {
      const workers = Object.values(busy).map(body => createWorker(body, modules));
      await Promise.all(workers.map(one => one.message()));
      await Promise.all(workers.map(one => one.worker.terminate()));
    };
    await round();
    await collectGarbage();
    const before = resources();
    for (let i = 0; i < 3; i++) await round();
    await collectGarbage();
    const after = resources();
    assert(after.files <= before.files, `${after.files} files open, ${before.files} before`);
    // The allocator keeps arenas of threads that ended, as do sanitizers; a leaked loop of each would be hundreds.
    assert(after.mappings < before.mappings + 120, `${after.mappings} mappings, ${before.mappings} before`);
  });

  it('lets a worker end by itself, by process.exit() and by an exception', async () => {
    const ending: Body<{ paths: typeof modules; how: string }> = ({ require }, { paths, how }) => {
      const { vector } = (require(paths.vector) as Support).looseVector();
      vector.on('interrupt', () => vector.eventfd.signal()).unref();
      vector.eventfd.signal();
      setTimeout(() => {
        if (how === 'exit') process.exit(5);
        if (how === 'throw') throw new Error('on purpose');
      }, 20);
    };
    assert.equal(await createWorker(ending, { paths: modules, how: 'nothing' }).ended, 0);
    assert.equal(await createWorker(ending, { paths: modules, how: 'exit' }).ended, 5);
    await assert.rejects(createWorker(ending, { paths: modules, how: 'throw' }).ended, /on purpose/);
  });

  it('does not take the process along when it exits at the same time', async () => {
    const ended = await createProcess(({ library, require }) => {
      const { Worker } = require('node:worker_threads') as typeof import('node:worker_threads');
      const code = `
        const { native } = require(${JSON.stringify(library)});
        const addon = native();
        const eventfd = addon.eventFdCreate();
        addon.loopStart(() => addon.eventFdSignal(eventfd, 1));
        addon.loopAdd(eventfd, 1, true, false);
        addon.loopRef(true);
        addon.eventFdSignal(eventfd, 1);
        require('node:worker_threads').parentPort.postMessage('busy');`;
      let ready = 0;
      for (let i = 0; i < 4; i++) {
        new Worker(code, { eval: true }).once('message', () => {
          if (++ready === 4) process.exit(3);
        });
      }
    }, undefined);
    assert.deepEqual([ended.code, ended.stderr], [3, '']);
  });
});

describe('several environments', () => {
  it('load the addon at once, and each has its own', async () => {
    const body: Body<null> = ({ vfio, native, require }) => {
      const { parentPort } = require('node:worker_threads') as typeof import('node:worker_threads');
      const eventfds = [new vfio.EventFd(), new vfio.EventFd()];
      parentPort?.postMessage([
        native.liveObjects().eventfds,
        vfio.listDevices().length >= 0,
        eventfds.length,
      ]);
    };
    const workers = Array.from({ length: 6 }, () => createWorker(body, null));
    assert.deepEqual(await Promise.all(workers.map(one => one.message())), Array(6).fill([2, true, 2]));
    assert.deepEqual(await Promise.all(workers.map(one => one.ended)), Array(6).fill(0));
  });

  it('hear each other through a descriptor that was handed over', async () => {
    const { worker, message, ended } = createWorker(({ require }, paths) => {
      const { parentPort } = require('node:worker_threads') as typeof import('node:worker_threads');
      const { vector } = (require(paths.vector) as Support).looseVector();
      parentPort?.postMessage(vector.fd);
      vector.once('interrupt', count => parentPort?.postMessage(count));
    }, modules);
    const fd = (await message()) as number;
    const { writeSync } = await import('node:fs');
    writeSync(fd, new Uint8Array(new BigUint64Array([6n]).buffer));
    assert.equal(await message(), 6);
    assert.equal(await ended, 0);
    await worker.terminate();
  });
});
