import assert from 'node:assert/strict';
import { native } from '../../../lib/native.js';
import { balance, growth } from '../../support/balance.js';

const slack = { areas: 1000, MiB: 1000 };

describe('what a process holds', () => {
  it('shows one eventfd more, and one less', () => {
    const before = balance();
    const eventfd = native().eventFdCreate();
    assert.deepEqual(
      growth(before, balance(), slack).map(text => text.replace(/\d+/g, 'N')),
      ['file anon_inode:[eventfd]: N before, N after', 'eventfds: N before, N after'],
    );
    native().eventFdClose(eventfd);
    assert.deepEqual(growth(before, balance(), slack), []);
  });

  it('lets areas and resident memory grow by so much, and no more', () => {
    const before = { exact: {}, areas: 10, residentMiB: 50 };
    assert.deepEqual(growth(before, { exact: {}, areas: 15, residentMiB: 55 }, { areas: 5, MiB: 5 }), []);
    assert.deepEqual(growth(before, { exact: {}, areas: 16, residentMiB: 56 }, { areas: 5, MiB: 5 }), [
      'areas of memory: 10 before, 16 after',
      'resident memory: 50 MiB before, 56 MiB after',
    ]);
    assert.deepEqual(growth(before, { exact: { pinned: 4096 }, areas: 1, residentMiB: 1 }, slack), [
      'pinned: 0 before, 4096 after',
    ]);
  });
});
