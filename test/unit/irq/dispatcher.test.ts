import assert from 'node:assert/strict';
import { EventFd } from '../../../lib/eventfd.js';
import { listen } from '../../../lib/irq/dispatcher.js';
import { native } from '../../../lib/native.js';
import { turns } from '../../support/vector.js';

describe('dispatcher', () => {
  it('tells each listener of its own eventfd', async () => {
    using a = new EventFd();
    using b = new EventFd();
    const heard: [string, number][] = [];
    const ends = [listen(a, n => heard.push(['a', n]), true), listen(b, n => heard.push(['b', n]), true)];
    a.signal(2);
    a.signal(3);
    b.signal();
    await turns();
    assert.deepEqual(heard.sort(), [
      ['a', 5],
      ['b', 1],
    ]);
    for (const end of ends) end();
    a.signal();
    await turns();
    assert.equal(heard.length, 2);
  });

  it('tells of what was signalled before', async () => {
    using eventfd = new EventFd();
    eventfd.signal(7);
    const heard: number[] = [];
    const end = listen(eventfd, n => heard.push(n), true);
    await turns();
    assert.deepEqual(heard, [7]);
    end();
  });

  it('reports 1 where it does not read the counter', async () => {
    using eventfd = new EventFd();
    const heard: number[] = [];
    const end = listen(eventfd, n => heard.push(n), false);
    eventfd.signal(5);
    await turns();
    eventfd.signal(5);
    await turns();
    assert.deepEqual(heard, [1, 1]);
    end();
  });

  it('lets a listener end itself and those after it in the same batch', async () => {
    using a = new EventFd();
    using b = new EventFd();
    const heard: string[] = [];
    const ends: (() => void)[] = [];
    const endAll = (name: string) => () => {
      heard.push(name);
      for (const end of ends) end();
    };
    ends.push(listen(a, endAll('one'), true), listen(b, endAll('one'), true));
    a.signal();
    b.signal();
    await turns();
    assert.deepEqual(heard, ['one']);
  });

  it('can be ended after its eventfd closed', () => {
    const eventfd = new EventFd();
    const end = listen(eventfd, () => undefined, true);
    eventfd.close();
    end();
    end();
  });

  it('makes what a listener throws an uncaught exception, and tells the others', async () => {
    using a = new EventFd();
    using b = new EventFd();
    const heard: string[] = [];
    const ends = [a, b].map(eventfd =>
      listen(
        eventfd,
        () => {
          heard.push('one');
          throw new Error('from the listener');
        },
        true,
      ),
    );
    const caught: string[] = [];
    const others = process.listeners('uncaughtException');
    process
      .removeAllListeners('uncaughtException')
      .on('uncaughtException', error => caught.push(error.message));
    a.signal();
    b.signal();
    await turns();
    process.removeAllListeners('uncaughtException');
    for (const other of others) process.on('uncaughtException', other);
    assert.deepEqual(caught, ['from the listener', 'from the listener']);
    assert.equal(heard.length, 2);
    for (const end of ends) end();
  });

  it('says what failed when the kernel does not watch', () => {
    using eventfd = new EventFd();
    native().failNext('epoll_ctl', 28, 0);
    const error = { name: 'VfioError', code: 'ENOSPC', message: /^Waiting on an eventfd failed/ };
    assert.throws(() => listen(eventfd, () => undefined, true), error);
    listen(eventfd, () => undefined, true)();
  });

  it('serves thousands', async () => {
    const eventfds = Array.from({ length: 2048 }, () => new EventFd());
    const heard = new Set<number>();
    const ends = eventfds.map((eventfd, i) => listen(eventfd, () => heard.add(i), true));
    for (const eventfd of eventfds) eventfd.signal();
    await turns(20);
    assert.equal(heard.size, 2048);
    for (const end of ends) end();
    for (const eventfd of eventfds) eventfd.close();
  });
});
