import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { packageRoot } from '../../../lab/paths.js';
import { originalPositions } from '../../support/runner/positions.js';

describe('positions in compiled files', () => {
  it('become those in their sources', () => {
    const file = 'dist/lab/paths.js';
    const lines = readFileSync(path.join(packageRoot, file), 'utf8').split('\n');
    const line = lines.findIndex(text => text.includes('function cacheDirectory'));
    assert.ok(line >= 0);
    const sources = readFileSync(path.join(packageRoot, 'lab/paths.ts'), 'utf8').split('\n');
    const expected = sources.findIndex(text => text.includes('function cacheDirectory')) + 1;
    for (const prefix of ['', `${packageRoot}/`]) {
      const stack = `at cacheDirectory (${prefix}${file}:${line + 1}:${(lines[line]?.indexOf('function') ?? 0) + 1})`;
      assert.match(
        originalPositions(stack),
        new RegExp(`^at cacheDirectory \\(lab/paths\\.ts:${expected}:\\d+\\)$`),
      );
    }
  });

  it('stay what they are where there is no map', () => {
    for (const text of [
      'at x (node:internal/x:1:2)',
      'dist/no/such.js:1:2',
      'dist/lab/paths.js without a position',
    ])
      assert.equal(originalPositions(text), text);
  });
});
