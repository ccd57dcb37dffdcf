/** Waiting for a link in a thread that has no interrupt for it. */
import assert from 'node:assert/strict';
import { type LinkState } from 'vfio/kit';
import { pollForLink } from '../../../examples/nic/wait-for-link.js';

const down: LinkState = { up: false, speed: 0, fullDuplex: false };
const up: LinkState = { up: true, speed: 1000, fullDuplex: true };

describe('examples/nic: looking for a link', () => {
  it('ends when it is up', async () => {
    const states = [down, down, up];
    assert.equal(await pollForLink(() => states.shift() ?? down, { timeoutMs: 60_000 }), up);
    assert.equal(states.length, 0);
  });

  it('ends when the time is over, or when it is told to', async () => {
    await assert.rejects(
      pollForLink(() => down, { timeoutMs: 1 }),
      /No link after 1 ms/,
    );
    const stop = new AbortController();
    const waiting = pollForLink(() => down, { timeoutMs: 60_000, signal: stop.signal });
    stop.abort();
    await assert.rejects(waiting, { name: 'AbortError' });
  });
});
