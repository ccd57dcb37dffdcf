import assert from 'node:assert/strict';
import { isThere } from '../../../bench/needed.js';

describe('bench: programs that references need', () => {
  it('are found by their names where the shell finds them, and nowhere else', () => {
    assert.equal(isThere('sh'), true);
    assert.equal(isThere('no-such-program'), false);
    const { PATH } = process.env;
    process.env['PATH'] = '';
    try {
      assert.equal(isThere('sh'), false);
    } finally {
      process.env['PATH'] = PATH;
    }
  });
});
