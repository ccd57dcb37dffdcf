import assert from 'node:assert/strict';
import { evaluate } from '../../../lab/uapi/expression.js';

describe('uapi: constant expressions', () => {
  const values = new Map([
    ['TYPE', 0x3bn],
    ['BASE', 100n],
    ['A', 1n],
    ['B', 4n],
  ]);

  for (const [text, expected] of [
    ['0', 0n],
    ['0xffff', 0xffffn],
    ['(1 << 31)', 0x8000_0000n],
    ['1U << 3', 8n],
    ['18446744073709551615ULL', 2n ** 64n - 1n],
    ['-1', -1n],
    ['~A & 0xf', 14n],
    ['A | B << 1', 9n],
    ['(A | B) << 1', 10n],
    ['7 - 2 - 1', 4n],
    ["(';')", 59n],
    ['_IO(TYPE, BASE + 21)', 0x3b79n],
  ] as const) {
    it(`${text} is ${expected}`, () => {
      assert.equal(evaluate(text, values), expected);
    });
  }

  for (const text of [
    '',
    '"vfio-pci"',
    'UNKNOWN',
    'A +',
    '(A',
    'A B',
    'A ? B : 0',
    'sizeof(int)',
    '_IOW(TYPE, 1, int)',
  ]) {
    it(`${text === '' ? 'nothing' : text} is none`, () => {
      assert.equal(evaluate(text, values), undefined);
    });
  }
});
