import assert from 'node:assert/strict';
import { document } from '../../../lab/uapi/document.js';
import { absent, like } from '../../../lab/uapi/row.js';
import { made, type Made, proof } from './sources.js';

const table: Made = {
  names: ['DONE', 'OPEN', 'ELSEWHERE', 'ELSEWHERE_FLAG', 'BASE'],
  rows: {
    DONE: '`gauge.read()`',
    OPEN: '`gauge.write()`',
    ELSEWHERE: absent('only elsewhere', '`gauge.elsewhere`'),
    ELSEWHERE_FLAG: like('ELSEWHERE'),
  },
  excluded: { BASE: 'where they start' },
};
const proofs = [
  proof(['DONE'], [], { profile: 'mdev', kernel: '6.12.117-lab', title: 'b' }),
  proof(['DONE'], [], { profile: 'amd-iommu', kernel: '6.12.117-lab', title: 'a "quoted" | thing' }),
  proof(['DONE'], [], { file: 'test/lab/early.test.ts' }),
  proof([], ['ELSEWHERE'], { file: 'test/unit/far.test.ts', profile: undefined }),
];

function text(given: Made): string {
  const { sources, lines } = made(given);
  return document(sources, lines, '7.2');
}
const rowOf = (name: string, of: string): string =>
  of.split('\n').find(line => line.includes(`\`${name}\``)) ?? '';

describe('uapi: the document', () => {
  it('says of each name its value, what reaches it, where that was proven and by which tests', () => {
    assert.equal(
      rowOf('DONE', text({ ...table, proofs })),
      '| `DONE` 0 | `gauge.read()` | 6.1: stock<br>6.12: amd-iommu, mdev ' +
        '| [early](../test/lab/early.test.ts "gauge > works")' +
        '<br>[gauge](../test/lab/gauge.test.ts "a \\"quoted\\" \\| thing; b") |',
    );
  });

  it('says why no machine can do something, and where it was refused', () => {
    const whole = text({ ...table, proofs });
    assert.equal(
      rowOf('ELSEWHERE', whole),
      '| `ELSEWHERE` 2 | `gauge.elsewhere` | none: only elsewhere<br>refused on any machine ' +
        '| [unit/far](../test/unit/far.test.ts "gauge > works") |',
    );
    assert.match(
      rowOf('ELSEWHERE_FLAG', whole),
      /^\| `ELSEWHERE_FLAG` 3 \| – \| none: only elsewhere<br>refused/,
    );
  });

  it('does not hide what is not proven yet', () => {
    assert.match(rowOf('OPEN', text(table)), /\*\*nowhere yet\*\*/);
    assert.match(rowOf('ELSEWHERE', text(table)), /\*\*refusal not tested yet\*\*/);
  });

  it('sums up, and lists what is left out', () => {
    const whole = text({ ...table, proofs });
    assert.match(whole, /^\| \[Gauges\]\(#gauges\) \| 4 \| 1 \| 2 \| 1 \|$/m);
    assert.match(whole, /^\| in all \| 4 \| 1 \| 2 \| 1 \|$/m);
    assert.match(whole, /^- where they start: `BASE`$/m);
  });

  it('is the same in whatever order the tests ran', () => {
    assert.equal(text({ ...table, proofs: [...proofs].reverse() }), text({ ...table, proofs }));
  });
});
