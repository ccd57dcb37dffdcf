import assert from 'node:assert/strict';
import type { EventFdHandle } from '../../../lib/native';
import { createProcess } from '../../support/processes';
import { inProcess } from './support';

describe('native loop', () => {
  describe('with handles of their own', () => {
    it('tells of a few eventfds singly, and of more than there are handles for together', async () => {
      const output = await inProcess(({ native: addon }) => {
        const seen: string[] = [];
        const { ids, counts } = addon.loopStart(n => {
          for (let i = 0; i < n; i++) seen.push(`${ids[i]}:${counts[i]}`);
          if (seen.length < eventfds.length) return;
          console.log(seen.sort().join(' '));
          addon.loopRef(false);
        });
        const eventfds = Array.from({ length: 6 }, () => addon.eventFdCreate());
        eventfds.forEach((eventfd, id) => addon.loopAdd(eventfd, id, true, true));
        eventfds.forEach((eventfd, id) => addon.eventFdSignal(eventfd, id + 1));
        addon.loopRef(true);
      });
      assert.equal(output, '0:1 1:2 2:3 3:4 4:5 5:6\n');
    });

    it('adds up signals between two turns, and says one where no count is wanted', async () => {
      const output = await inProcess(({ native: addon }) => {
        const [counted, uncounted] = [addon.eventFdCreate(), addon.eventFdCreate()];
        let left = 2;
        const { ids, counts } = addon.loopStart(n => {
          console.log(n, ids[0], counts[0], addon.eventFdTake(ids[0] === 2 ? uncounted : counted));
          addon.loopRef(--left > 0);
        });
        addon.loopAdd(counted, 4_000_000_000, true, true);
        for (let i = 0; i < 1000; i++) addon.eventFdSignal(counted, 2);
        addon.loopRef(true);
        setTimeout(() => {
          addon.loopAdd(uncounted, 2, false, true);
          for (let i = 0; i < 1000; i++) addon.eventFdSignal(uncounted, 2);
        }, 1);
      });
      assert.equal(output, '1 4000000000 2000 0\n1 2 1 0\n');
    });

    it('can be added once, removed, and added again', async () => {
      const output = await inProcess(({ native: addon }) => {
        const eventfd = addon.eventFdCreate();
        const { ids } = addon.loopStart(n => {
          console.log(n, ids[0]);
          addon.loopRemove(eventfd);
          addon.loopRemove(eventfd);
          addon.eventFdSignal(eventfd, 1);
          setTimeout(() => addon.loopRef(false), 20);
        });
        addon.loopAdd(eventfd, 1, true, true);
        for (const direct of [true, false]) {
          try {
            addon.loopAdd(eventfd, 1, true, direct);
          } catch (error) {
            console.log((error as Error).message);
          }
        }
        addon.loopRemove(eventfd);
        addon.eventFdSignal(eventfd, 1);
        addon.loopAdd(eventfd, 2, true, true);
        addon.loopRef(true);
      });
      const refused = 'EEXIST: file already exists, epoll_ctl\n';
      assert.equal(output, `${refused}${refused}1 2\n`);
    });

    it('fails as the kernel would, and can then be added', async () => {
      const output = await inProcess(({ native: addon }) => {
        const eventfd = addon.eventFdCreate();
        addon.loopStart(n => {
          console.log(n);
          addon.loopRef(false);
        });
        addon.failNext('epoll_ctl', 12, 0);
        try {
          addon.loopAdd(eventfd, 1, true, true);
        } catch (error) {
          console.log((error as NodeJS.ErrnoException).code);
        }
        addon.loopAdd(eventfd, 1, true, true);
        addon.eventFdSignal(eventfd, 1);
        addon.loopRef(true);
      });
      assert.equal(output, 'ENOMEM\n1\n');
    });

    it('closes the descriptor at once, also in its own callback, and gives the handle to the next', async () => {
      const output = await inProcess(({ native: addon }) => {
        const numbers: number[] = [];
        const next = (): void => {
          const eventfd = addon.eventFdCreate();
          numbers.push(addon.eventFdNumber(eventfd));
          addon.loopAdd(eventfd, numbers.length, true, true);
          addon.eventFdSignal(eventfd, 1);
          open = eventfd;
        };
        let open: EventFdHandle | undefined;
        const { ids } = addon.loopStart(n => {
          if (open === undefined) throw new Error('nothing is open');
          if (n !== 1 || ids[0] !== numbers.length) throw new Error(`${n} of ${ids[0]}`);
          addon.eventFdClose(open);
          if (numbers.length < 100) {
            next();
            return;
          }
          console.log(new Set(numbers).size);
          addon.loopRef(false);
        });
        next();
        addon.loopRef(true);
      });
      assert.equal(output, '1\n', 'each had the number of the one before');
    });

    it('lets the callback close others that were signalled', async () => {
      const output = await inProcess(({ native: addon }) => {
        let calls = 0;
        addon.loopStart(() => {
          calls++;
          for (const eventfd of eventfds) addon.eventFdClose(eventfd);
          // What has the same number now is another eventfd, that nobody added.
          for (const eventfd of eventfds.map(() => addon.eventFdCreate())) addon.eventFdSignal(eventfd, 1);
          setTimeout(() => {
            console.log(calls);
            addon.loopRef(false);
          }, 20);
        });
        const eventfds = Array.from({ length: 4 }, () => addon.eventFdCreate());
        eventfds.forEach((eventfd, id) => addon.loopAdd(eventfd, id, true, true));
        for (const eventfd of eventfds) addon.eventFdSignal(eventfd, 1);
        addon.loopRef(true);
      });
      assert.equal(output, '1\n');
    });

    it('goes with an eventfd that nobody can reach any more', async () => {
      const { code, stdout, stderr } = await createProcess(
        async ({ native: addon }) => {
          const { gc } = globalThis as { gc?: () => void };
          addon.loopStart(() => undefined);
          for (let i = 0; i < 8; i++) addon.loopAdd(addon.eventFdCreate(), i, true, true);
          while (addon.liveObjects().eventfds > 0) {
            gc?.();
            await new Promise(resolve => setImmediate(resolve));
          }
          console.log('gone');
        },
        null,
        { nodeArgs: ['--expose-gc'] },
      );
      assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: 'gone\n', stderr: '' });
    });

    it('does not keep the process alive', async () => {
      assert.equal(
        await inProcess(({ native: addon }) => {
          const eventfd = addon.eventFdCreate();
          addon.loopStart(() => undefined);
          addon.loopAdd(eventfd, 1, true, true);
          process.on('exit', () => console.log(addon.eventFdNumber(eventfd) > 0));
        }),
        'true\n',
      );
    });
  });
});
