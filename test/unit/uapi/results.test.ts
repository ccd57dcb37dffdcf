import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { loadResults, proofsOf, storeResults, type StoredStage } from '../../../lab/uapi/results.js';
import { proof } from './sources.js';

describe('uapi: results of tests', () => {
  const { title, ...evidence } = proof(['A'], ['B']);
  const stage: StoredStage = {
    name: 'lab amd-iommu on built-6.12',
    seconds: 1.5,
    outcomes: [
      { title, state: 'passed', evidence },
      { title: 'plain', state: 'passed' },
      { title: 'other', state: 'skipped', detail: 'needs a gauge' },
    ],
  };
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), 'vfio-results-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it('are none where nothing ran', () => {
    assert.deepEqual(loadResults(path.join(directory, 'nothing')), []);
  });

  it('are kept, a file for each part of a run, which the next run replaces', () => {
    const inside = path.join(directory, 'made/on/the/way');
    assert.equal(storeResults([stage, { ...stage, name: 'unit' }], inside), true);
    assert.equal(storeResults([{ ...stage, outcomes: [] }], inside), true);
    assert.deepEqual(readdirSync(inside), ['lab-amd-iommu-on-built-6.12.json', 'unit.json']);
    assert.deepEqual(loadResults(inside), [
      { ...stage, outcomes: [] },
      { ...stage, name: 'unit' },
    ]);
  });

  it('prove what tests that passed say, and nothing else', () => {
    assert.deepEqual(proofsOf([stage]), [{ ...evidence, title }]);
    const outcomes = stage.outcomes.map(outcome => ({ ...outcome, state: 'failed' as const }));
    assert.deepEqual(proofsOf([{ ...stage, outcomes }]), []);
  });
});
