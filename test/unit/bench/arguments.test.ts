import assert from 'node:assert/strict';
import { choose, parseArguments } from '../../../bench/arguments.js';

describe('bench: command line', () => {
  it('runs everything in seven rounds unless told otherwise', () => {
    assert.deepEqual(parseArguments([]), { action: 'run', json: undefined, only: [], rounds: 7 });
  });

  it('takes a file, rounds and names', () => {
    const words = ['--json', 'figures.json', '--rounds', '9', '--only', 'open,dma', '--only=trigger'];
    assert.deepEqual(parseArguments(words), {
      action: 'run',
      json: 'figures.json',
      only: ['open', 'dma', 'trigger'],
      rounds: 9,
    });
  });

  it('lists, and helps above all', () => {
    assert.equal(parseArguments(['--list']).action, 'list');
    assert.equal(parseArguments(['--list', '--help']).action, 'help');
  });

  for (const rounds of ['0', '-1', '1.5', 'many', '', '1001']) {
    it(`refuses '${rounds}' rounds`, () => {
      assert.throws(() => parseArguments([`--rounds=${rounds}`]), {
        name: 'RangeError',
        message: `--rounds must be a number from 1 to 1000; got '${rounds}'`,
      });
    });
  }

  for (const words of [['--round', '3'], ['open'], ['--json']]) {
    it(`refuses ${words.join(' ')}`, () => {
      assert.throws(() => parseArguments(words), { name: 'RangeError' });
    });
  }

  it('chooses by the beginnings of names, in the order there is', () => {
    const all = [{ name: 'open' }, { name: 'dma-map' }, { name: 'dma-alloc' }];
    assert.deepEqual(choose(all, []), all);
    assert.deepEqual(choose(all, ['dma', 'open']), all);
    assert.deepEqual(choose(all, ['dma-alloc', 'dma-m']), [{ name: 'dma-map' }, { name: 'dma-alloc' }]);
  });

  it('names those there are when one is wrong', () => {
    assert.throws(() => choose([{ name: 'open' }, { name: 'dma' }], ['dma', 'close']), {
      name: 'RangeError',
      message: "no benchmark's name begins with 'close'; there are: open, dma",
    });
  });
});
