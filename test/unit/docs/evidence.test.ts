import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { packageRoot } from '../../../lab/paths';

const guide = readFileSync(path.join(packageRoot, 'docs/vfio-dos-and-donts.md'), 'utf8');

/** Lines that name a test, `> test/lab/FILE: TITLE`. */
const evidence = [...guide.matchAll(/^> (test\/\S+\.test\.ts): (.+)$/gm)].map(
  ([, file = '', title = '']) => ({
    file,
    title,
  }),
);

describe('docs/vfio-dos-and-donts.md', () => {
  it('names only tests that there are', () => {
    assert(evidence.length > 30);
    for (const { file, title } of evidence) {
      const source = readFileSync(path.join(packageRoot, file), 'utf8').replace(/\\(['`"])/g, '$1');
      assert(source.includes(title), `${file} has no test '${title}'`);
    }
  });

  it('has an answer from a test in each of its parts', () => {
    const parts = guide.split(/^##+ /m).slice(1);
    for (const part of parts.filter(text => text.trim().includes('\n\n'))) {
      if (part.startsWith('The order of calls') || part.startsWith('Resets')) continue;
      assert.match(part, /^> test\//m, part.split('\n')[0]);
    }
  });

  it('links to headings that there are', () => {
    const anchors = [...guide.matchAll(/^## (.+)$/gm)].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replace(/[^\w -]/g, '')
        .replaceAll(' ', '-'),
    );
    for (const [, anchor = ''] of guide.matchAll(/\]\(#([^)]+)\)/g)) assert(anchors.includes(anchor), anchor);
  });
});
