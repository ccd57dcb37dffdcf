import assert from 'node:assert/strict';
import path from 'node:path';
import { createProcess } from '../../support/processes';
import type { Resources } from '../../support/resources';

type Support = typeof import('../../support/resources') & typeof import('../../support/vector');
const support = path.join(__dirname, '..', '..', 'support');
const modules = {
  resources: path.join(support, 'resources'),
  vector: path.join(support, 'vector'),
};

/** Makes things in a process of its own, drops them, and returns what stayed beyond what was there before. */
async function left(
  make: (modules: Support & typeof import('../../../lib/index')) => unknown,
): Promise<Resources> {
  const ended = await createProcess(
    async ({ require, vfio }, { modules: paths, source }) => {
      const loaded = Object.values(paths).map(one => require(one) as object);
      const all = Object.assign({}, ...loaded, vfio) as Support & typeof vfio;
      const work = (0, eval)(`(${source})`) as (modules: unknown) => unknown;
      // Once before measuring: modules are loaded, and the loop has its epoll.
      await work(all);
      await all.collectGarbage();
      const before = all.resources();
      await work(all);
      await all.collectGarbage();
      const after = Object.entries(all.resources()) as [keyof Resources, number][];
      console.log(
        JSON.stringify(Object.fromEntries(after.map(([name, value]) => [name, value - before[name]]))),
      );
    },
    { modules, source: make.toString() },
    { nodeArgs: ['--expose-gc'] },
  );
  assert.deepEqual([ended.code, ended.stderr], [0, '']);
  return JSON.parse(ended.stdout) as Resources;
}

describe('garbage collection', () => {
  it('closes eventfds that nobody closed', async () => {
    const { files } = await left(({ EventFd }) => {
      for (let i = 0; i < 500; i++) new EventFd().signal();
    });
    assert.equal(files, 0);
  });

  it('closes vectors that nobody listens to any more', async () => {
    const { files } = await left(async ({ looseVector, turns }) => {
      for (let i = 0; i < 200; i++) {
        const { vector } = looseVector();
        const listener = (): void => undefined;
        vector.on('interrupt', listener);
        vector.eventfd.signal();
        vector.off('interrupt', listener);
      }
      await turns();
    });
    assert.equal(files, 0);
  });

  it('does not close a vector that somebody listens to', async () => {
    const { files } = await left(({ looseVector }) => {
      for (let i = 0; i < 10; i++)
        looseVector()
          .vector.unref()
          .on('interrupt', () => undefined);
    });
    assert.equal(files, 10);
  });
});

describe('a thousand rounds', () => {
  it('of eventfds leave nothing', async () => {
    const after = await left(({ EventFd }) => {
      for (let i = 0; i < 1000; i++) {
        const eventfd = new EventFd();
        eventfd.signal();
        eventfd.close();
      }
    });
    assert.equal(after.files, 0);
  });

  it('of vectors with events leave nothing', async () => {
    const after = await left(async ({ looseVector }) => {
      for (let i = 0; i < 1000; i++) {
        const { vector } = looseVector();
        const waiting = vector.wait();
        vector.eventfd.signal();
        await waiting;
        vector.close();
      }
    });
    assert.equal(after.files, 0);
    assert(after.mappings < 100, `${after.mappings} mappings stayed`);
  });
});
