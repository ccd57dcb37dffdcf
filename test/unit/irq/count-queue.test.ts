import assert from 'node:assert/strict';
import { CountQueue } from '../../../lib/irq/count-queue.js';

describe('count queue', () => {
  const made: string[] = [];
  const queue = (signal?: AbortSignal): CountQueue => new CountQueue(signal, () => made.push('ended'));
  const value = (count: number) => ({ value: count, done: false });
  const end = { value: undefined, done: true };

  beforeEach(() => made.splice(0));

  it('hands over what comes to who waits', async () => {
    const counts = queue();
    const waiting = counts.next();
    counts.push(3);
    assert.deepEqual(await waiting, value(3));
  });

  it('adds up what comes while nobody waits', async () => {
    const counts = queue();
    counts.push(3);
    counts.push(4);
    assert.deepEqual(await counts.next(), value(7));
    const waiting = counts.next();
    counts.push(1);
    assert.deepEqual(await waiting, value(1));
  });

  it('serves several waits in their order', async () => {
    const counts = queue();
    const waiting = [counts.next(), counts.next(), counts.next()];
    counts.push(1);
    counts.push(2);
    counts.end();
    assert.deepEqual(await Promise.all(waiting), [value(1), value(2), end]);
  });

  it('gives out what it has before it ends', async () => {
    const counts = queue();
    counts.push(5);
    counts.end();
    assert.equal(counts.ended, true);
    assert.deepEqual([await counts.next(), await counts.next()], [value(5), end]);
  });

  it('gives out what it has before it fails, and fails once', async () => {
    const counts = queue();
    counts.push(5);
    counts.fail(new Error('late'));
    assert.deepEqual(await counts.next(), value(5));
    await assert.rejects(counts.next(), /late/);
    assert.deepEqual(await counts.next(), end);
  });

  it('fails the first who waits, and ends the others', async () => {
    const counts = queue();
    const [first, second] = [counts.next(), counts.next()];
    counts.fail(new Error('gone'));
    await assert.rejects(first, /gone/);
    assert.deepEqual(await second, end);
  });

  it('says once that it ended', async () => {
    const counts = queue();
    counts.end();
    counts.end();
    counts.fail(new Error('too late'));
    await counts.return();
    assert.deepEqual(made, ['ended']);
    assert.deepEqual(await counts.next(), end);
  });

  it('ends a loop by break, and drops what it had', async () => {
    const counts = queue();
    counts.push(1);
    for await (const count of counts) {
      assert.equal(count, 1);
      counts.push(2);
      break;
    }
    assert.deepEqual([made, await counts.next()], [['ended'], end]);
  });

  it('rejects by an AbortSignal, with its reason as the cause', async () => {
    const abort = new AbortController();
    const counts = queue(abort.signal);
    const waiting = counts.next();
    abort.abort('enough');
    await assert.rejects(waiting, { name: 'AbortError', code: 'ABORT_ERR', cause: 'enough' });
    assert.deepEqual([made, await counts.next()], [['ended'], end]);
  });

  it('is over at once with a signal that fired before', async () => {
    const counts = queue(AbortSignal.abort());
    assert.equal(counts.ended, true);
    await assert.rejects(counts.next(), { name: 'AbortError' });
    assert.deepEqual(made, [], 'nothing had begun');
  });

  it('leaves the signal alone when it has ended', async () => {
    const abort = new AbortController();
    const counts = queue(abort.signal);
    counts.end();
    abort.abort();
    assert.deepEqual(await counts.next(), end);
  });
});
