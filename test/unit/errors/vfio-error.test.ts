import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { busyError, closedError, unsupportedError, VfioError } from '../../../lib/errors/vfio-error.js';

describe('VfioError', () => {
  it('is an Error with everything that is known', () => {
    const cause = new Error('EBUSY: device or resource busy');
    const error = new VfioError('Opening group 12 failed', {
      code: 'EBUSY',
      errno: -16,
      syscall: 'open',
      path: '/dev/vfio/12',
      address: '0000:03:00.0',
      likelyCause: 'it is open already',
      cure: 'close it there',
      cause,
    });
    assert(error instanceof Error && error instanceof VfioError);
    assert.deepEqual(
      [
        error.name,
        error.code,
        error.errno,
        error.syscall,
        error.path,
        error.address,
        error.likelyCause,
        error.cure,
      ],
      [
        'VfioError',
        'EBUSY',
        -16,
        'open',
        '/dev/vfio/12',
        '0000:03:00.0',
        'it is open already',
        'close it there',
      ],
    );
    assert.equal(error.cause, cause);
    assert.equal(
      error.message,
      'Opening group 12 failed. Likely cause: it is open already. Try: close it there',
    );
    assert.match(String(error.stack), /^VfioError: Opening group 12 failed/);
    assert.match(inspect(error), /EBUSY: device or resource busy/);
  });

  it('says only what it knows', () => {
    const error = new VfioError('Nothing happened', { code: 'ERR_VFIO_TIMEOUT' });
    assert.equal(error.message, 'Nothing happened');
    assert.equal('cause' in error, false);
    assert.deepEqual(
      [error.errno, error.syscall, error.likelyCause, error.cure],
      [undefined, undefined, undefined, undefined],
    );
  });

  it('has short forms', () => {
    assert.deepEqual(
      [closedError('It').code, closedError('It').message],
      ['ERR_VFIO_CLOSED', 'It is closed'],
    );
    assert.equal(unsupportedError('No such thing').code, 'ERR_VFIO_UNSUPPORTED');
    assert.match(busyError('It is in use', 'wait').message, /^It is in use.*wait$/);
  });
});
