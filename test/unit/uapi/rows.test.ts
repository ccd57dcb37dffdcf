import assert from 'node:assert/strict';
import { excluded, sections } from '../../../lab/uapi/rows/index.js';
import type { Row } from '../../../lab/uapi/row.js';

describe('uapi: the rows', () => {
  const rows = sections.flatMap((section): [string, Row][] => Object.entries(section.rows));

  it('name each name once', () => {
    const names = [...rows.map(([name]) => name), ...Object.keys(excluded)];
    assert.deepEqual(
      names.filter((name, i) => names.indexOf(name) < i),
      [],
    );
  });

  it('are like rows that say why they are absent', () => {
    const known = new Map(rows);
    const astray = rows.filter(([, row]) => {
      if (typeof row === 'string' || !('like' in row)) return false;
      const other = known.get(row.like);
      return typeof other !== 'object' || !('absent' in other);
    });
    assert.deepEqual(astray, []);
  });

  it('have sections with titles of their own', () => {
    const titles = sections.map(section => section.title);
    assert.equal(new Set(titles).size, titles.length);
  });
});
