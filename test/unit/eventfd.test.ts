import assert from 'node:assert/strict';
import { readlinkSync, readSync } from 'node:fs';
import { EventFd } from '../../lib/index.js';
import { native } from '../../lib/native.js';

describe('EventFd', () => {
  const counter = (eventfd: EventFd): bigint => {
    const value = new BigUint64Array(1);
    readSync(eventfd.fd, new Uint8Array(value.buffer));
    return value[0] as bigint;
  };

  it('is a counter in the kernel', () => {
    using eventfd = new EventFd();
    assert.equal(readlinkSync(`/proc/self/fd/${eventfd.fd}`), 'anon_inode:[eventfd]');
    eventfd.signal();
    eventfd.signal(41);
    assert.equal(counter(eventfd), 42n);
    eventfd.signal(2 ** 32 - 1);
    assert.equal(counter(eventfd), 0xffff_ffffn);
  });

  it('closes once', () => {
    const eventfd = new EventFd();
    const { fd } = eventfd;
    assert.equal(eventfd.closed, false);
    eventfd.close();
    eventfd.close();
    eventfd[Symbol.dispose]();
    assert.equal(eventfd.closed, true);
    assert.throws(() => readlinkSync(`/proc/self/fd/${fd}`), { code: 'ENOENT' });
  });

  it('refuses everything afterwards', () => {
    const eventfd = new EventFd();
    eventfd.close();
    const closed = { name: 'VfioError', code: 'ERR_VFIO_CLOSED', message: 'The eventfd is closed' };
    assert.throws(() => eventfd.fd, closed);
    assert.throws(() => eventfd.signal(), closed);
    assert.throws(() => eventfd.handle, closed);
  });

  it('says what failed when there is none to be had', () => {
    native().failNext('eventfd', 24, 0);
    assert.throws(() => new EventFd(), {
      name: 'VfioError',
      code: 'EMFILE',
      errno: -24,
      syscall: 'eventfd',
      message: /^Creating an eventfd failed: eventfd answered EMFILE/,
    });
    new EventFd().close();
  });

  it('says what failed when the counter is full', () => {
    using eventfd = new EventFd();
    native().failNext('write', 11, 0);
    assert.throws(() => eventfd.signal(), { name: 'VfioError', code: 'EAGAIN', syscall: 'write' });
    eventfd.signal(1);
    assert.equal(counter(eventfd), 1n);
  });
});
