import assert from 'node:assert/strict';
import fs from 'node:fs';
import { native } from '../../../lib/native';
import { createWorker } from '../../support/processes';
import { thrownBy } from './support';

describe('native eventfd', () => {
  const addon = native();

  it('adds up what was signalled', () => {
    const eventfd = addon.eventFdCreate();
    assert.equal(addon.eventFdTake(eventfd), 0);
    addon.eventFdSignal(eventfd, 1);
    addon.eventFdSignal(eventfd, 41);
    assert.equal(addon.eventFdTake(eventfd), 42);
    assert.equal(addon.eventFdTake(eventfd), 0);
    addon.eventFdClose(eventfd);
  });

  it('is an ordinary file descriptor that is not inherited', () => {
    const eventfd = addon.eventFdCreate();
    const number = addon.eventFdNumber(eventfd);
    assert.equal(fs.readlinkSync(`/proc/self/fd/${number}`), 'anon_inode:[eventfd]');
    const flags = /flags:\s*([0-7]+)/.exec(fs.readFileSync(`/proc/self/fdinfo/${number}`, 'utf8'))?.[1];
    assert.equal(parseInt(flags ?? '0', 8) & 0o2004000, 0o2004000, 'O_CLOEXEC and O_NONBLOCK');
    fs.writeSync(number, new Uint8Array(new BigUint64Array([7n]).buffer));
    assert.equal(addon.eventFdTake(eventfd), 7);
    addon.eventFdClose(eventfd);
    assert.throws(() => fs.fstatSync(number), { code: 'EBADF' });
  });

  it('waits until the time is over', () => {
    const eventfd = addon.eventFdCreate();
    for (const timeout of [0, 30, 130]) {
      const start = performance.now();
      assert.equal(addon.eventFdWait(eventfd, timeout), 0);
      const passed = performance.now() - start;
      assert(passed >= timeout - 1, `${timeout} ms became ${passed} ms`);
    }
    addon.eventFdClose(eventfd);
  });

  it('does not wait when something is there', () => {
    const eventfd = addon.eventFdCreate();
    addon.eventFdSignal(eventfd, 3);
    assert.equal(addon.eventFdWait(eventfd, -1), 3);
    assert.equal(addon.eventFdWait(eventfd, 0), 0);
    addon.eventFdClose(eventfd);
  });

  it('is woken from another thread', async () => {
    const eventfd = addon.eventFdCreate();
    const { ended } = createWorker(({ require }, number: number) => {
      const file = require('node:fs') as typeof import('node:fs');
      setTimeout(() => file.writeSync(number, new Uint8Array(new BigUint64Array([9n]).buffer)), 50);
    }, addon.eventFdNumber(eventfd));
    // A worker starts only with the help of the thread that made it.
    await new Promise(resolve => setTimeout(resolve, 20));
    const count = addon.eventFdWait(eventfd, 0) || (await ended, addon.eventFdWait(eventfd, -1));
    assert.equal(count, 9);
    addon.eventFdClose(eventfd);
  });

  it('refuses what would overflow the counter', () => {
    const eventfd = addon.eventFdCreate();
    const half = Number.MAX_SAFE_INTEGER;
    for (let i = 0; i < 2 ** 11; i++) addon.eventFdSignal(eventfd, half);
    const error = thrownBy(() => addon.eventFdSignal(eventfd, half));
    assert.deepEqual([error.code, error.syscall], ['EAGAIN', 'write']);
    addon.eventFdClose(eventfd);
  });
});
