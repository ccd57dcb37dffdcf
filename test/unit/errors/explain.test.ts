import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { attempt, attemptStep, explain, isSystemError } from '../../../lib/errors/explain.js';
import { VfioError } from '../../../lib/errors/vfio-error.js';
import { runAsync, runSync } from '../../../lib/steps.js';
import { systemError } from '../../support/system-error.js';

describe('explaining errors', () => {
  it('makes a VfioError of what a system call threw', () => {
    const cause = systemError('groupGetStatus', 'ENXIO', '/dev/vfio/7');
    const error = explain(cause, { doing: 'Asking for the status', address: '0000:03:00.0' });
    assert(error instanceof VfioError);
    assert.deepEqual(
      [error.code, error.errno, error.syscall, error.path, error.address, error.cause],
      ['ENXIO', -6, 'VFIO_GROUP_GET_STATUS', '/dev/vfio/7', '0000:03:00.0', cause],
    );
    assert.equal(
      error.message,
      'Asking for the status failed: VFIO_GROUP_GET_STATUS on /dev/vfio/7 answered ENXIO',
    );
  });

  it('does not name the file twice', () => {
    const error = explain(systemError('x', 'ENXIO', '/dev/vfio/7'), {
      doing: 'Opening /dev/vfio/7',
    }) as Error;
    assert.equal(error.message, 'Opening /dev/vfio/7 failed: x answered ENXIO');
  });

  it("takes the file from the context when the call did not say, and takes errors of Node's fs", () => {
    const error = explain(systemError('x', 'ENXIO'), { doing: 'Trying', path: '/dev/vfio/9' });
    assert.equal((error as VfioError).path, '/dev/vfio/9');
    assert.throws(() => attempt({ doing: 'Reading' }, () => readFileSync('/nowhere/at/all')), {
      name: 'VfioError',
      code: 'ENOENT',
      path: '/nowhere/at/all',
    });
  });

  it('lets everything else pass', () => {
    const others = [
      new TypeError('no'),
      new VfioError('known', { code: 'EBUSY', syscall: 'open' }),
      'text',
      undefined,
    ];
    for (const other of others) {
      assert.equal(explain(other, { doing: 'Trying' }), other);
      assert.equal(isSystemError(other), other instanceof VfioError);
    }
  });

  it('works for results, steps and both kinds of running them', async () => {
    assert.equal(
      attempt({ doing: 'Trying' }, () => 5),
      5,
    );
    const failing = () =>
      attemptStep({ doing: 'Trying' }, async => {
        if (async) return Promise.reject(systemError('x', 'EIO'));
        throw systemError('x', 'EIO');
      });
    const error = { name: 'VfioError', code: 'EIO', message: 'Trying failed: x answered EIO' };
    assert.throws(() => runSync(failing()), error);
    await assert.rejects(runAsync(failing()), error);
    assert.equal(runSync(attemptStep({ doing: 'Trying' }, () => 5)), 5);
  });
});
