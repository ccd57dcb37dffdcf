import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { progressOn } from '../../../lab/progress.js';
import { TextSink } from '../../lab-host/text-sink.js';

describe('lab: progress', () => {
  it('says nothing of quick steps, and gives each slow one a line of its own', async () => {
    const sink = new TextSink();
    const progress = progressOn(sink, 20);
    await progress('quick', () => Promise.resolve());
    await progress('outer', async () => {
      await sleep(60);
      await progress('inner', () => sleep(60));
    });
    await progress('last', () => sleep(60));
    assert.match(
      sink.text,
      /^lab: outer \.\.\.\nlab: inner \.\.\. 0\.\d s\nlab: outer took 0\.\d s\nlab: last \.\.\. 0\.\d s\n$/,
    );
  });

  it('gives a line to each note, also amid a step', async () => {
    const sink = new TextSink();
    const progress = progressOn(sink, 0);
    await progress('outer', async () => {
      await sleep(20);
      progress.note?.('half of it');
      progress.note?.('nearly all');
    });
    assert.match(
      sink.text,
      /^lab: outer \.\.\.\nlab: half of it\nlab: nearly all\nlab: outer took 0\.\d s\n$/,
    );
  });

  it('hands results and failures on', async () => {
    const progress = progressOn(new TextSink());
    assert.equal(await progress('x', () => Promise.resolve(7)), 7);
    await assert.rejects(
      progress('x', () => Promise.reject(new Error('no'))),
      /^Error: no$/,
    );
  });
});
