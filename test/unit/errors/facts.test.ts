import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { release } from 'node:os';
import * as facts from '../../../lib/errors/facts.js';

describe('facts of the machine', () => {
  it('read the limit on locked memory', () => {
    const limits = execFileSync('prlimit', [
      '--memlock',
      '--noheadings',
      '--raw',
      '--output',
      'SOFT,HARD',
      '--pid',
      `${process.pid}`,
    ]);
    const [soft, hard] = limits
      .toString()
      .trim()
      .split(' ')
      .map(text => (text === 'unlimited' ? Infinity : Number(text)));
    const memlock = facts.memlock();
    assert.deepEqual([memlock.soft, memlock.hard], [soft, hard]);
    assert(memlock.locked >= 0 && memlock.pinned >= 0);
  });

  it('read capabilities', () => {
    assert.equal(facts.hasCapability(63), false);
    if (process.geteuid?.() !== 0) assert.equal(facts.hasCapability(facts.Capability.SysRawio), false);
  });

  it('describe nodes', () => {
    assert.deepEqual(facts.nodeFacts('/dev/null'), { owner: 0, group: 0, mode: '0666' });
    assert.equal(facts.nodeFacts('/nowhere'), undefined);
  });

  it('answer where there is nothing', () => {
    assert.equal(facts.hugePages(12_345 * 1024), undefined);
    assert.equal(facts.moduleLoaded('no_such_module'), false);
    assert(facts.dmaEntryLimit() > 0);
    assert(facts.iommuGroupCount() >= 0);
    assert.equal(typeof facts.allowsUnsafeInterrupts(), 'boolean');
    assert.equal(facts.kernelRelease(), release());
  });
});
