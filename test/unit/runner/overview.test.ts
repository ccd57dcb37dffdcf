import assert from 'node:assert/strict';
import { machineName } from '../../support/runner/lab.js';
import { overview } from '../../support/runner/overview.js';

describe('runner: the overview of a long run', () => {
  const skipped = (title: string, detail: string) => ({ title, state: 'skipped' as const, detail });

  it('has a table, the reasons of skips with how often, the failures, and the counts last', () => {
    const text = overview(
      [
        {
          name: 'lab stock',
          seconds: 12.34,
          outcomes: [
            { title: 'a', state: 'passed' },
            { title: 'b', state: 'failed', detail: 'it broke' },
            skipped('c', 'needs kernel 6.12'),
          ],
        },
        {
          name: 'unit',
          seconds: 1,
          outcomes: [skipped('d', 'needs a gauge'), skipped('e', 'needs kernel 6.12')],
        },
      ],
      20,
    );
    assert.equal(
      text,
      `
stage      passed  failed  skipped  seconds
lab stock       1       1        1     12.3
unit            0       0        2      1.0
in all          1       1        3     20.0

Skipped, by reason:
  2: needs kernel 6.12
  1: needs a gauge

Failed:
  1) lab stock: b: it broke

1 passed, 1 failed, 3 skipped
`,
    );
  });

  it('names a machine with its kernel where there is a choice', () => {
    assert.equal(machineName({ profile: 'stock' }), 'stock');
    assert.equal(machineName({ profile: 'amd-iommu' }), 'amd-iommu on built-latest');
    assert.equal(machineName({ profile: 'amd-iommu', kernel: 'built-6.12' }), 'amd-iommu on built-6.12');
  });
});
