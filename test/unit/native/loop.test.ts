import assert from 'node:assert/strict';
import type { EventFdHandle } from '../../../lib/native';
import { createProcess } from '../../support/processes';
import { inProcess } from './support';

describe('native loop', () => {
  it('must be started, once', async () => {
    const output = await inProcess(({ native: addon }) => {
      const attempt = (action: () => unknown) => {
        try {
          action();
        } catch (error) {
          console.log((error as Error).message);
        }
      };
      const eventfd = addon.eventFdCreate();
      attempt(() => addon.loopAdd(eventfd, 1, true, false));
      attempt(() => addon.loopRef(true));
      addon.loopRemove(eventfd);
      addon.loopStart(() => undefined);
      attempt(() => addon.loopStart(() => undefined));
      addon.loopAdd(eventfd, 1, true, false);
      attempt(() => addon.loopAdd(eventfd, 1, true, false));
    });
    assert.deepEqual(output.trim().split('\n'), [
      'The loop has not been started',
      'The loop has not been started',
      'The loop was started before',
      'EEXIST: file already exists, epoll_ctl',
    ]);
  });

  it('can be started after a failure', async () => {
    const output = await inProcess(({ native: addon }) => {
      addon.failNext('epoll_create1', 24, 0);
      try {
        addon.loopStart(() => undefined);
      } catch (error) {
        console.log((error as NodeJS.ErrnoException).code);
      }
      const eventfd = addon.eventFdCreate();
      addon.loopStart(n => {
        console.log(n);
        addon.loopRef(false);
      });
      addon.failNext('epoll_ctl', 12, 0);
      try {
        addon.loopAdd(eventfd, 1, false, false);
      } catch (error) {
        console.log((error as NodeJS.ErrnoException).code);
      }
      addon.loopAdd(eventfd, 1, false, false);
      addon.eventFdSignal(eventfd, 1);
      addon.loopRef(true);
    });
    assert.equal(output, 'EMFILE\nENOMEM\n1\n');
  });

  it('adds up signals between two turns, where the count is read', async () => {
    const output = await inProcess(({ native: addon }) => {
      const [counted, uncounted] = [addon.eventFdCreate(), addon.eventFdCreate()];
      const { ids, counts } = addon.loopStart(n => {
        const fired = Array.from({ length: n }, (_, i) => [ids[i], counts[i]]);
        console.log(JSON.stringify(fired.sort()));
        addon.loopRef(false);
        console.log(addon.eventFdTake(counted), addon.eventFdTake(uncounted));
      });
      addon.loopAdd(counted, 4_000_000_000, true, false);
      addon.loopAdd(uncounted, 2, false, false);
      for (let i = 0; i < 1000; i++) addon.eventFdSignal(counted, 2);
      for (let i = 0; i < 1000; i++) addon.eventFdSignal(uncounted, 2);
      addon.loopRef(true);
    });
    assert.equal(output, '[[2,1],[4000000000,2000]]\n0 2000\n');
  });

  it('fires again for each signal after a call, also when the counter was left alone', async () => {
    const output = await inProcess(({ native: addon }) => {
      const eventfd = addon.eventFdCreate();
      let calls = 0;
      addon.loopStart(() => {
        if (++calls === 5) addon.loopRef(false);
        else addon.eventFdSignal(eventfd, 1);
      });
      addon.loopAdd(eventfd, 1, false, false);
      addon.eventFdSignal(eventfd, 1);
      addon.loopRef(true);
      process.on('exit', () => console.log(calls));
    });
    assert.equal(output, '5\n');
  });

  it('hands over more than one batch', async () => {
    const output = await inProcess(({ native: addon }) => {
      const seen = new Set<number>();
      let calls = 0;
      const { ids } = addon.loopStart(n => {
        calls++;
        for (const id of ids.subarray(0, n)) seen.add(id);
        // By naming them: what nobody can reach any more is collected, and closed.
        if (seen.size === eventfds.length) {
          console.log(calls, ids.length);
          addon.loopRef(false);
        }
      });
      const eventfds = Array.from({ length: 1500 }, () => addon.eventFdCreate());
      eventfds.forEach((eventfd, id) => addon.loopAdd(eventfd, id, true, false));
      for (const eventfd of eventfds) addon.eventFdSignal(eventfd, 1);
      addon.loopRef(true);
    });
    assert.equal(output, '3 512\n');
  });

  it('leaves out a counter that was taken in between', async () => {
    const output = await inProcess(({ native: addon }) => {
      const [taken, other] = [addon.eventFdCreate(), addon.eventFdCreate()];
      const { ids } = addon.loopStart(n => {
        console.log(n, ids[0]);
        setTimeout(() => addon.loopRef(false), 20);
      });
      addon.loopAdd(taken, 1, true, false);
      addon.loopAdd(other, 2, true, false);
      addon.eventFdSignal(taken, 1);
      addon.eventFdSignal(other, 1);
      addon.eventFdTake(taken);
      addon.loopRef(true);
    });
    assert.equal(output, '1 2\n');
  });

  it('lets the callback close and remove anything, and forgets both', async () => {
    const output = await inProcess(({ native: addon }) => {
      let eventfds: EventFdHandle[] = [];
      addon.loopStart(n => {
        console.log(n);
        if (n < 12) setTimeout(() => addon.loopRef(false), 20);
        for (const [i, eventfd] of eventfds.entries()) {
          if (i % 2 === 0) addon.loopRemove(eventfd);
          if (i % 3 !== 0) addon.eventFdClose(eventfd);
          else addon.eventFdSignal(eventfd, 1);
        }
        eventfds = eventfds.filter((_, i) => i % 3 === 0);
        // What was closed may come back as the same number: it is another eventfd, that nobody added.
        Array.from({ length: 8 }, () => addon.eventFdSignal(addon.eventFdCreate(), 1));
      });
      eventfds = Array.from({ length: 12 }, () => addon.eventFdCreate());
      eventfds.forEach((eventfd, id) => addon.loopAdd(eventfd, id, true, false));
      for (const eventfd of eventfds) addon.eventFdSignal(eventfd, 1);
      addon.loopRef(true);
    });
    // 0, 3, 6 and 9 were signalled again; of those 0 and 6 had been removed.
    assert.equal(output.split('\n').slice(0, 2).join(), '12,2');
  });

  it('can add an eventfd again', async () => {
    const output = await inProcess(({ native: addon }) => {
      const eventfd = addon.eventFdCreate();
      const { ids } = addon.loopStart(n => {
        console.log(n, ids[0]);
        addon.loopRemove(eventfd);
        addon.loopRemove(eventfd);
        addon.loopRef(false);
      });
      addon.loopAdd(eventfd, 1, true, false);
      addon.loopRemove(eventfd);
      addon.eventFdSignal(eventfd, 1);
      addon.loopAdd(eventfd, 2, true, false);
      addon.loopRef(true);
    });
    assert.equal(output, '1 2\n');
  });

  it('makes an exception an uncaught one, and goes on', async () => {
    const output = await inProcess(({ native: addon }) => {
      const eventfd = addon.eventFdCreate();
      let calls = 0;
      process.on('uncaughtException', error => {
        console.log(error.message);
        addon.eventFdSignal(eventfd, 1);
      });
      addon.loopStart(() => {
        process.nextTick(() => console.log('tick'));
        if (++calls < 3) throw new Error(`number ${calls}`);
        addon.loopRef(false);
      });
      addon.loopAdd(eventfd, 1, true, false);
      addon.eventFdSignal(eventfd, 1);
      addon.loopRef(true);
    });
    assert.deepEqual(output.trim().split('\n').sort(), ['number 1', 'number 2', 'tick', 'tick', 'tick']);
  });

  it('ends the process when nobody catches it', async () => {
    const { code, stderr } = await createProcess(({ native: addon }) => {
      const eventfd = addon.eventFdCreate();
      addon.loopStart(() => {
        throw new Error('out of the callback');
      });
      addon.loopAdd(eventfd, 1, true, false);
      addon.eventFdSignal(eventfd, 1);
      addon.loopRef(true);
    }, null);
    assert.equal(code, 1);
    assert.match(stderr, /out of the callback/);
  });

  it('runs promises and ticks before the next event', async () => {
    const output = await inProcess(({ native: addon }) => {
      const eventfd = addon.eventFdCreate();
      const order: string[] = [];
      addon.loopStart(() => {
        order.push('event');
        void Promise.resolve().then(() => order.push('promise'));
        process.nextTick(() => order.push('tick'));
        if (order.length > 3) addon.loopRef(false);
        else addon.eventFdSignal(eventfd, 1);
      });
      addon.loopAdd(eventfd, 1, true, false);
      addon.eventFdSignal(eventfd, 1);
      addon.loopRef(true);
      process.on('exit', () => console.log(order.join()));
    });
    assert.match(output, /^event,tick,promise,event,tick,promise\n$/);
  });

  it('keeps the process alive only when told to', async () => {
    const start = performance.now();
    await inProcess(({ native: addon }) => {
      const eventfd = addon.eventFdCreate();
      addon.loopStart(() => undefined);
      addon.loopAdd(eventfd, 1, true, false);
      addon.loopRef(true);
      addon.loopRef(false);
    });
    assert(performance.now() - start < 10_000);
    const { signal } = await createProcess(
      ({ native: addon }) => {
        addon.loopStart(() => undefined);
        addon.loopRef(true);
      },
      null,
      { timeoutMs: 1000 },
    );
    assert.equal(signal, 'SIGKILL');
  });

  it('does not crash when its arrays were detached, or live on elsewhere', async () => {
    const output = await inProcess(({ native: addon }) => {
      const eventfd = addon.eventFdCreate();
      const { ids } = addon.loopStart(n => console.log(n));
      structuredClone(null, { transfer: [ids.buffer as ArrayBuffer] });
      addon.loopAdd(eventfd, 1, true, false);
      addon.eventFdSignal(eventfd, 1);
      setTimeout(() => process.exit(0), 20);
    });
    assert.equal(output, '1\n');
  });
});
