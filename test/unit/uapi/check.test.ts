import assert from 'node:assert/strict';
import { checkTable } from '../../../lab/uapi/check.js';
import { absent, like } from '../../../lab/uapi/row.js';
import { made, type Made, proof } from './sources.js';

/** All problems of a table, in the order of the checks. */
function problems(table: Made): string[] {
  const { sources, lines } = made(table);
  return checkTable(sources, lines).flatMap(check => check.problems);
}

describe('uapi: checking the table', () => {
  it('is content when every name has a row and every row its proof', () => {
    const table: Made = {
      names: ['DONE', 'ELSEWHERE', 'ELSEWHERE_FLAG', 'BASE'],
      rows: {
        DONE: '`gauge.read()`',
        ELSEWHERE: absent('only elsewhere', '`gauge.elsewhere`'),
        ELSEWHERE_FLAG: like('ELSEWHERE'),
      },
      excluded: { BASE: 'where they start' },
      proofs: [proof(['DONE']), proof([], ['ELSEWHERE'])],
    };
    assert.deepEqual(problems(table), []);
  });

  it('names each name without a row, and where it stands', () => {
    assert.deepEqual(problems({ names: ['A', 'B'], rows: { A: 'a' }, proofs: [proof(['A'])] }), [
      'B (linux/gauge.h, line 2) has no row in lab/uapi/rows',
    ]);
  });

  it('names each row and each exclusion without a name', () => {
    assert.deepEqual(problems({ rows: { A: 'a' }, excluded: { B: 'b' }, proofs: [proof(['A'])] }), [
      'A has a row, but is in no header',
      'B is excluded, but is in no header',
    ]);
  });

  it('finds a name that has a row and is excluded', () => {
    const table: Made = {
      names: ['A'],
      rows: { A: 'a' },
      excluded: { A: 'why not' },
      proofs: [proof(['A'])],
    };
    assert.deepEqual(problems(table), ['A has a row and is excluded']);
  });

  it('finds a name with rows in two sections', () => {
    const { sources, lines } = made({ names: ['A'], rows: { A: 'a' }, proofs: [proof(['A'])] });
    const found = checkTable(sources, [...lines, ...lines]).flatMap(check => check.problems);
    assert.deepEqual(found, ['A has two rows']);
  });

  it('wants to know what reaches a name, unless it is absent', () => {
    const table: Made = { names: ['A', 'B'], rows: { A: '', B: absent('b') }, proofs: [proof(['A'], ['B'])] };
    assert.deepEqual(problems(table), ['no API reaches A']);
  });

  it('wants what is like another name to be absent for the reason of that', () => {
    const table: Made = {
      names: ['A', 'B', 'C'],
      rows: { A: 'a', B: like('A'), C: like('NOWHERE') },
      proofs: [proof(['A'])],
    };
    assert.deepEqual(problems(table), [
      'B is said to be like A, which has no row that says why it is absent',
      'C is said to be like NOWHERE, which has no row that says why it is absent',
    ]);
  });

  it('names each claim that no test proves; that something was refused is no proof', () => {
    assert.deepEqual(problems({ names: ['A'], rows: { A: '`gauge.a`' }, proofs: [proof([], ['A'])] }), [
      "no passed test covers('A'): `gauge.a`",
    ]);
  });

  it('names each absence that no test shows', () => {
    const rows = { A: absent('only elsewhere'), B: like('A') };
    assert.deepEqual(problems({ names: ['A', 'B'], rows }), [
      "no passed test shows the refusal('A')",
      "no passed test shows the refusal('B') or that of A",
    ]);
    assert.deepEqual(problems({ names: ['A', 'B'], rows, proofs: [proof([], ['B'])] }), [
      "no passed test shows the refusal('A')",
    ]);
  });

  it('does not let a row call absent what a test has done', () => {
    const table: Made = {
      names: ['A', 'B'],
      rows: { A: absent('only elsewhere'), B: like('A') },
      proofs: [proof(['B'], ['A'])],
    };
    assert.deepEqual(problems(table), [
      "B is said to be absent (only elsewhere); but 'gauge > works' (test/lab/gauge.test.ts) covers it",
    ]);
  });

  it('names tests that prove what has no row', () => {
    assert.deepEqual(problems({ proofs: [proof(['A'])] }), [
      "A has no row; 'gauge > works' (test/lab/gauge.test.ts) proves it",
    ]);
  });

  it('takes no proof from a test that ran on no machine of the lab, but refusals', () => {
    const anywhere = { profile: undefined };
    const table: Made = {
      names: ['A', 'B'],
      rows: { A: 'a', B: absent('only elsewhere') },
      proofs: [proof(['A'], [], anywhere), proof([], ['B'], anywhere)],
    };
    assert.deepEqual(problems(table), [
      "no passed test covers('A'): a",
      "'gauge > works' (test/lab/gauge.test.ts) claims A outside of the lab",
    ]);
  });
});
