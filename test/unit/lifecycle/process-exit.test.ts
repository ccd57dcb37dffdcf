import assert from 'node:assert/strict';
import path from 'node:path';
import { type Body, createProcess } from '../../support/processes';

type Support = typeof import('../../support/vector');

/** Modules of the tests, for bodies that run elsewhere. */
const modules = { vector: path.join(__dirname, '..', '..', 'support', 'vector') };

describe('process exit', () => {
  const endings: Record<string, { how: string; code: number | null; signal?: string }> = {
    'by itself': { how: 'nothing', code: 0 },
    'by process.exit()': { how: 'exit', code: 7 },
    'by an uncaught exception': { how: 'throw', code: 1 },
    'by an unhandled rejection': { how: 'reject', code: 1 },
    'by process.exit() in a listener': { how: 'exit in a listener', code: 8 },
    'by an exception in a listener': { how: 'throw in a listener', code: 1 },
    'by process.exit() in an exit handler': { how: 'exit at exit', code: 9 },
    'by a signal': { how: 'SIGTERM', code: null, signal: 'SIGTERM' },
  };

  for (const [name, { how, code, signal = null }] of Object.entries(endings)) {
    it(`${name}, with eventfds and vectors listened to`, async () => {
      const ended = await createProcess(
        ({ require }, { modules: paths, how: ending }) => {
          const { looseVector } = require(paths.vector) as Support;
          const vectors = Array.from({ length: 10 }, () => looseVector().vector);
          for (const vector of vectors) vector.on('interrupt', () => vector.eventfd.signal()).unref();
          for (const vector of vectors) vector.eventfd.signal();
          const end = (): void => {
            if (ending === 'exit') process.exit(7);
            if (ending === 'throw') throw new Error('on purpose');
            if (ending === 'reject') void Promise.reject(new Error('on purpose'));
            if (ending === 'SIGTERM') process.kill(process.pid, 'SIGTERM');
            if (ending === 'exit at exit') process.on('exit', () => process.exit(9));
          };
          const [first] = vectors;
          first?.once('interrupt', () => {
            if (ending === 'exit in a listener') process.exit(8);
            if (ending === 'throw in a listener') throw new Error('on purpose');
          });
          setTimeout(end, 30);
        },
        { modules, how },
      );
      assert.deepEqual([ended.code, ended.signal], [code, signal], ended.stderr);
      assert.equal(ended.stderr.includes('on purpose'), code === 1);
    });
  }
});

describe('what keeps a process alive', () => {
  /** How a process that does this ends, or that it is still there after a while in which nothing happens. */
  const fate = async (body: Body<typeof modules>): Promise<string> => {
    const ended = await createProcess(
      (kit, { modules: paths, source }) => {
        ((0, eval)(`(${source})`) as Body<unknown>)(kit, paths);
        // It keeps nothing alive, and only comes to pass where something else does. Not before: loading may take longer.
        setTimeout(() => process.kill(process.pid, 'SIGKILL'), 400).unref();
      },
      { modules, source: body.toString() },
    );
    assert.equal(ended.stderr, '');
    return ended.signal === 'SIGKILL' ? 'stays' : `ends with ${ended.code}`;
  };
  const cases: Record<string, { body: Body<typeof modules>; expected: string }> = {
    'an eventfd does not': {
      body: ({ vfio }) => new vfio.EventFd(),
      expected: 'ends with 0',
    },
    'an idle vector does not': {
      body: ({ require }, paths) => (require(paths.vector) as Support).looseVector(),
      expected: 'ends with 0',
    },
    'a listener does': {
      body: ({ require }, paths) => {
        const { vector } = (require(paths.vector) as Support).looseVector();
        vector.on('interrupt', () => undefined);
      },
      expected: 'stays',
    },
    'a listener that was removed does not': {
      body: ({ require }, paths) => {
        const { vector } = (require(paths.vector) as Support).looseVector();
        const listener = (): void => undefined;
        vector.on('interrupt', listener).off('interrupt', listener);
        vector.once('interrupt', listener);
        vector.eventfd.signal();
      },
      expected: 'ends with 0',
    },
    'unref() before listening does not': {
      body: ({ require }, paths) => {
        const { vector } = (require(paths.vector) as Support).looseVector();
        vector.unref().on('interrupt', () => undefined);
      },
      expected: 'ends with 0',
    },
    'unref() while listening does not': {
      body: ({ require }, paths) => {
        const { vector } = (require(paths.vector) as Support).looseVector();
        vector.on('interrupt', () => undefined).unref();
      },
      expected: 'ends with 0',
    },
    'ref() does again': {
      body: ({ require }, paths) => {
        const { vector } = (require(paths.vector) as Support).looseVector();
        vector.unref().on('interrupt', () => undefined);
        vector.ref();
      },
      expected: 'stays',
    },
    'one of several does': {
      body: ({ require }, paths) => {
        const { looseVector } = require(paths.vector) as Support;
        looseVector()
          .vector.on('interrupt', () => undefined)
          .unref();
        looseVector().vector.on('interrupt', () => undefined);
        looseVector()
          .vector.on('interrupt', () => undefined)
          .close();
      },
      expected: 'stays',
    },
    'a vector that closed does not': {
      body: ({ require }, paths) => {
        const { vector } = (require(paths.vector) as Support).looseVector();
        vector.on('interrupt', () => undefined);
        setTimeout(() => vector.close(), 20);
      },
      expected: 'ends with 0',
    },
    'waiting does': {
      body: ({ require }, paths) => (require(paths.vector) as Support).looseVector().vector.wait(),
      expected: 'stays',
    },
    'waiting with unref() does not': {
      body: ({ require }, paths) => (require(paths.vector) as Support).looseVector().vector.unref().wait(),
      expected: 'ends with 0',
    },
    'iterating does until it breaks': {
      body: async ({ require }, paths) => {
        const { vector } = (require(paths.vector) as Support).looseVector();
        vector.eventfd.signal();
        for await (const count of vector) if (count > 0) break;
      },
      expected: 'ends with 0',
    },
  };
  for (const [name, { body, expected }] of Object.entries(cases)) {
    it(name, async () => assert.equal(await fate(body), expected));
  }
});
