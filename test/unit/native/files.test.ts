import assert from 'node:assert/strict';
import fs from 'node:fs';
import type { FileHandle } from '../../../lib/native-iommufd';
import { native } from '../../../lib/native';
import { createProcess, createWorker } from '../../support/processes';
import { errnos, liveSince, makePipe, nothingLive, rejectionOf, thrownBy } from './support';

describe('native files', () => {
  const addon = native();
  let file: FileHandle;
  /** For another process or environment: opening it makes another file of the same pipe. */
  const pipePath = () => `/proc/${process.pid}/fd/${addon.fileNumber(file)}`;
  beforeEach(() => {
    file = addon.fileAdopt(makePipe());
  });
  afterEach(() => addon.fileClose(file));

  it('move bytes', async () => {
    assert.equal(addon.fileWrite(file, Uint8Array.of(1, 2, 3), false), 3);
    assert.equal(await addon.fileWrite(file, Uint8Array.of(4, 5), true), 2);
    const first = new Uint8Array(4);
    assert.equal(addon.fileRead(file, first, false), 4);
    assert.deepEqual(first, Uint8Array.of(1, 2, 3, 4));
    const rest = new Uint8Array(4).fill(9);
    assert.equal(await addon.fileRead(file, rest, true), 1);
    assert.deepEqual(rest, Uint8Array.of(5, 9, 9, 9));
  });

  it('end with 0 bytes', async () => {
    const empty = addon.fileAdopt(fs.openSync('/dev/null', 'r'));
    assert.equal(addon.fileRead(empty, new Uint8Array(4), false), 0);
    assert.equal(await addon.fileRead(empty, new Uint8Array(4), true), 0);
    addon.fileClose(empty);
  });

  it('are waited for until there is something to read', async () => {
    const target = new Uint8Array(8);
    const reading = addon.fileRead(file, target, true);
    // Longer than a thread of the pool waits at a time.
    await new Promise(resolve => setTimeout(resolve, 250));
    addon.fileWrite(file, Uint8Array.of(7), false);
    assert.equal(await reading, 1);
    assert.equal(target[0], 7);
  });

  it('more waits than the pool has threads do not keep other work from it', async () => {
    const readings = Array.from({ length: 6 }, () =>
      Promise.resolve(addon.fileRead(file, new Uint8Array(1), true)),
    );
    const memory = await addon.memoryAlloc(4096, 0, 0, -1, true);
    addon.memoryFree(memory);
    addon.fileWrite(file, new Uint8Array(6), false);
    assert.deepEqual(await Promise.all(readings), [1, 1, 1, 1, 1, 1]);
  });

  it('a wait ends when the file is closed, which then is closed at once', async () => {
    const before = addon.liveObjects();
    const other = addon.fileAdopt(makePipe());
    const number = addon.fileNumber(other);
    const readings = [1, 2, 3].map(() => addon.fileRead(other, new Uint8Array(1), true));
    await new Promise(resolve => setTimeout(resolve, 20));
    addon.fileClose(other);
    assert.throws(() => fs.fstatSync(number), { code: 'EBADF' });
    const errors = await Promise.all(readings.map(rejectionOf));
    for (const error of errors) assert.equal(error.code, 'ERR_VFIO_CLOSED');
    assert.deepEqual(liveSince(before), nothingLive);
  });

  it('nothing is written into a target that was detached meanwhile', async () => {
    const target = new Uint8Array(8);
    const reading = addon.fileRead(file, target, true);
    structuredClone(target.buffer, { transfer: [target.buffer] });
    addon.fileWrite(file, Uint8Array.of(7), false);
    const error = await rejectionOf(reading);
    assert(error instanceof TypeError);
    assert.match(error.message, /target was detached/);
  });

  it('what is written may change after the call', async () => {
    const source = Uint8Array.of(1, 2, 3);
    const writing = addon.fileWrite(file, source, true);
    source.fill(9);
    await writing;
    const target = new Uint8Array(3);
    addon.fileRead(file, target, false);
    assert.deepEqual(target, Uint8Array.of(1, 2, 3));
  });

  it('failures reach the caller', async () => {
    for (const [syscall, call] of [
      ['read', () => addon.fileRead(file, new Uint8Array(1), true)],
      ['poll', () => addon.fileRead(file, new Uint8Array(1), true)],
      ['write', () => addon.fileWrite(file, new Uint8Array(1), true)],
    ] as const) {
      if (syscall === 'read') addon.fileWrite(file, new Uint8Array(1), false);
      addon.failNext(syscall, errnos.EIO, 0);
      const error = await rejectionOf(call());
      assert.deepEqual([error.code, error.syscall], ['EIO', syscall]);
    }
    addon.failNext('read', errnos.EIO, 0);
    assert.equal(thrownBy(() => addon.fileRead(file, new Uint8Array(1), false)).code, 'EIO');
  });

  it('only an open descriptor can be adopted', () => {
    const error = thrownBy(() => addon.fileAdopt(1_000_000));
    assert.deepEqual([error.code, error.syscall, error.errno], ['EBADF', 'fcntl', -errnos.EBADF]);
  });

  it('is no migration stream', () => {
    const error = thrownBy(() => addon.migrationPrecopyInfo(file));
    assert.deepEqual([error.code, error.syscall], ['ENOTTY', 'VFIO_MIG_GET_PRECOPY_INFO']);
  });

  it('wake the loop for as long as something is left to read', async () => {
    const { code, stdout, stderr } = await createProcess(({ native: addon, require }, pipe) => {
      const { openSync } = require('node:fs') as typeof import('node:fs');
      const file = addon.fileAdopt(openSync(pipe, 'r+'));
      const seen: string[] = [];
      const target = new Uint8Array(2);
      const { ids, counts } = addon.loopStart(n => {
        const length = addon.fileRead(file, target, false);
        seen.push([n, ids[0], counts[0], length].join(':'));
        if (seen.length < 3) return;
        console.log(seen.join(' '));
        addon.loopRemoveFile(file);
        addon.fileWrite(file, new Uint8Array(4), false);
        setTimeout(() => addon.loopRef(false), 50);
      });
      addon.loopAddFile(file, 77);
      addon.loopRef(true);
      addon.fileWrite(file, new Uint8Array(5), false);
    }, pipePath());
    assert.deepEqual([code, stdout, stderr], [0, '1:77:1:2 1:77:1:2 1:77:1:1\n', '']);
  });

  it('files without readiness are refused by the loop', async () => {
    const { stdout } = await createProcess(({ native: addon, require }) => {
      const { openSync } = require('node:fs') as typeof import('node:fs');
      const file = addon.fileAdopt(openSync('/etc/passwd', 'r'));
      addon.loopStart(() => undefined);
      try {
        addon.loopAddFile(file, 1);
      } catch (error) {
        console.log((error as NodeJS.ErrnoException).code);
      }
    }, null);
    assert.equal(stdout, 'EPERM\n');
  });

  // More waits than the thread pool has threads, for a pipe that nobody writes to.
  it('a worker that waits for one can be terminated', async () => {
    for (let i = 0; i < 3; i++) {
      const { worker, message } = createWorker(({ native: addon, require }, pipe) => {
        const { openSync } = require('node:fs') as typeof import('node:fs');
        const { parentPort } = require('node:worker_threads') as typeof import('node:worker_threads');
        const file = addon.fileAdopt(openSync(pipe, 'r+'));
        for (let n = 0; n < 6; n++) void addon.fileRead(file, new Uint8Array(1), true);
        parentPort?.postMessage('ready');
      }, pipePath());
      await message();
      assert.equal(await worker.terminate(), 1);
    }
  });

  for (const end of ['process.exit', 'fileClose'] as const) {
    it(`a process that waits for one ends by ${end}()`, async () => {
      const { code, signal, stderr } = await createProcess(
        ({ native: addon, require }, { pipe, end }) => {
          const { openSync } = require('node:fs') as typeof import('node:fs');
          const file = addon.fileAdopt(openSync(pipe, 'r+'));
          for (let n = 0; n < 6; n++) {
            Promise.resolve(addon.fileRead(file, new Uint8Array(1), true)).catch(() => undefined);
          }
          setTimeout(() => (end === 'fileClose' ? addon.fileClose(file) : process.exit(0)), 150);
        },
        { pipe: pipePath(), end },
        { timeoutMs: 8000 },
      );
      assert.deepEqual({ code, signal, stderr }, { code: 0, signal: null, stderr: '' });
    });
  }

  it('the file is closed when its handle is collected', async () => {
    const { code, stdout } = await createProcess(
      async ({ native: addon, require }) => {
        const fs = require('node:fs') as typeof import('node:fs');
        for (let i = 0; i < 20; i++) addon.fileAdopt(fs.openSync('/dev/null', 'r'));
        for (let i = 0; i < 20; i++) addon.iommufdOpen('/dev/null');
        for (let i = 0; i < 20; i++) await addon.deviceOpenCdev('/dev/null', true);
        for (let i = 0; i < 5; i++) {
          (globalThis as { gc?: () => void }).gc?.();
          await new Promise(resolve => setImmediate(resolve));
        }
        const { files, iommufds, devices } = addon.liveObjects();
        console.log(files, iommufds, devices);
      },
      null,
      { nodeArgs: ['--expose-gc'] },
    );
    assert.deepEqual([code, stdout], [0, '0 0 0\n']);
  });

  it('is alone in using its descriptor', () => {
    const number = fs.openSync('/dev/null', 'r');
    const adopted = addon.fileAdopt(number);
    assert.equal(addon.fileNumber(adopted), number);
    addon.fileClose(adopted);
    assert.throws(() => fs.fstatSync(number), { code: 'EBADF' });
  });
});
