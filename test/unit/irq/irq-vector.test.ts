import assert from 'node:assert/strict';
import { once } from 'node:events';
import { native } from '../../../lib/native.js';
import type { IrqVector } from '../../../lib/index.js';
import { type LooseVector, looseVector, turns } from '../../support/vector.js';

describe('IrqVector', () => {
  let loose: LooseVector;
  let vector: IrqVector;
  const signal = (count = 1): void => vector.eventfd.signal(count);
  const closed = {
    name: 'VfioError',
    code: 'ERR_VFIO_CLOSED',
    message: /^MSI-X vector 3 of 0000:03:00.0 is closed/,
  };

  beforeEach(() => {
    loose = looseVector({ index: 3 });
    ({ vector } = loose);
  });
  afterEach(() => vector.close());

  describe('events', () => {
    it('carry the number of signals since the last one', async () => {
      const counts: number[] = [];
      vector.on('interrupt', count => counts.push(count));
      signal(2);
      signal();
      await turns();
      signal();
      await turns();
      assert.deepEqual([counts, vector.total], [[3, 1], 4]);
    });

    it('come for signals from before the first listener', async () => {
      signal(5);
      assert.deepEqual(await once(vector, 'interrupt'), [5]);
    });

    it('stop with the last listener, and the signals are kept', async () => {
      const counts: number[] = [];
      const listener = (count: number): void => void counts.push(count);
      vector.on('interrupt', listener);
      vector.off('interrupt', listener);
      signal(4);
      await turns();
      assert.deepEqual([counts, vector.total], [[], 0]);
      vector.once('interrupt', listener);
      await turns();
      assert.deepEqual([counts, vector.total], [[4], 4]);
    });

    it('reach several listeners', async () => {
      const heard: string[] = [];
      vector.on('interrupt', () => heard.push('first'));
      vector.prependListener('interrupt', () => heard.push('second'));
      signal();
      await turns();
      assert.deepEqual(heard, ['second', 'first']);
    });

    it('carry 1 where counts are not read', async () => {
      vector.close();
      loose = looseVector({ counts: false });
      ({ vector } = loose);
      const counts: number[] = [];
      vector.on('interrupt', count => counts.push(count));
      signal(9);
      await turns();
      assert.deepEqual([counts, vector.total], [[1], 1]);
    });

    it('end when the vector closes in the middle of one', async () => {
      let calls = 0;
      vector.on('interrupt', () => {
        calls++;
        vector.close();
      });
      vector.on('interrupt', () => calls++);
      signal();
      await turns();
      assert.deepEqual([calls, vector.closed], [2, true]);
    });

    it('end with removeAllListeners', async () => {
      vector.on('interrupt', () => assert.fail('was called'));
      vector.removeAllListeners('interrupt');
      signal();
      await turns();
      assert.equal(vector.total, 0);
    });
  });

  describe('wait', () => {
    it('returns the count', async () => {
      const waiting = vector.wait();
      signal(3);
      assert.equal(await waiting, 3);
      signal(2);
      assert.equal(await vector.wait({ timeoutMs: 1000 }), 2);
    });

    it('says that the time ran out', async () => {
      await assert.rejects(vector.wait({ timeoutMs: 5 }), {
        name: 'VfioError',
        code: 'ERR_VFIO_TIMEOUT',
        address: '0000:03:00.0',
        message: 'No interrupt on MSI-X vector 3 of 0000:03:00.0 within 5 ms',
      });
      loose.device.busMastering = false;
      await assert.rejects(vector.wait({ timeoutMs: 0 }), {
        code: 'ERR_VFIO_TIMEOUT',
        likelyCause: 'bus mastering is off',
        message: /bus mastering is off.*device\.enableBusMaster\(\)/,
      });
      loose.device.closed = true;
      await assert.rejects(vector.wait({ timeoutMs: 0 }), { likelyCause: undefined });
    });

    it('ends by an AbortSignal', async () => {
      const abort = new AbortController();
      const waiting = vector.wait({ signal: abort.signal });
      abort.abort();
      await assert.rejects(waiting, { name: 'AbortError' });
      await assert.rejects(vector.wait({ signal: abort.signal }), { name: 'AbortError' });
    });

    it('ends when the vector closes', async () => {
      const waiting = vector.wait();
      vector.close();
      await assert.rejects(waiting, closed);
      await assert.rejects(vector.wait(), closed);
    });

    it('tells everybody who waits', async () => {
      const waiting = Promise.all([vector.wait(), vector.wait(), once(vector, 'interrupt')]);
      signal(6);
      assert.deepEqual(await waiting, [6, 6, [6]]);
      assert.equal(vector.total, 6);
    });
  });

  describe('iteration', () => {
    it('yields counts until the vector closes', async () => {
      const counts: number[] = [];
      signal();
      for await (const count of vector) {
        counts.push(count);
        if (counts.length === 1) signal(2);
        else vector.close();
      }
      assert.deepEqual(counts, [1, 2]);
    });

    it('adds up what comes while the body runs', async () => {
      const counts: number[] = [];
      signal();
      for await (const count of vector) {
        counts.push(count);
        if (counts.length === 2) break;
        signal();
        await turns();
        signal(3);
        await turns();
      }
      assert.deepEqual(counts, [1, 4]);
    });

    it('ends in an AbortError', async () => {
      const abort = new AbortController();
      setImmediate(() => abort.abort());
      await assert.rejects(
        async () => {
          for await (const count of vector.interrupts({ signal: abort.signal }))
            assert.fail(`a count: ${count}`);
        },
        { name: 'AbortError' },
      );
    });

    it('does not begin on a closed vector', () => {
      vector.close();
      assert.throws(() => vector.interrupts(), closed);
      assert.throws(() => vector[Symbol.asyncIterator](), closed);
    });
  });

  describe('waitSync', () => {
    it('returns the count, 0 when the time ran out', () => {
      signal(4);
      assert.equal(vector.waitSync(), 4);
      assert.equal(vector.waitSync(0), 0);
      const start = performance.now();
      assert.equal(vector.waitSync(30), 0);
      assert(performance.now() - start >= 29);
      assert.equal(vector.total, 4);
    });

    it('refuses a closed vector, and says what failed', () => {
      native().failNext('poll', 12, 0);
      assert.throws(() => vector.waitSync(1), {
        name: 'VfioError',
        code: 'ENOMEM',
        message: /^Waiting for MSI-X vector 3/,
      });
      vector.close();
      assert.throws(() => vector.waitSync(0), closed);
    });
  });

  describe('close', () => {
    it('tells its owner once, and ends everything', () => {
      vector.on('interrupt', () => undefined);
      vector.close();
      vector.close();
      vector[Symbol.dispose]();
      assert.deepEqual(loose.released, [vector]);
      assert.throws(() => vector.fd, { code: 'ERR_VFIO_CLOSED' });
      assert.throws(() => vector.trigger(), closed);
      vector.on('interrupt', () => undefined).off('interrupt', () => undefined);
      vector.ref().unref();
    });

    it('closes the eventfd even when its owner fails', () => {
      const { vector: failing, released } = looseVector();
      released.push = () => {
        throw new Error('the kernel said no');
      };
      assert.throws(() => failing.close(), /the kernel said no/);
      assert.equal(failing.closed, true);
      failing.close();
    });
  });
});
