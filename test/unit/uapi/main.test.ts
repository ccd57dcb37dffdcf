import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { packageRoot } from '../../../lab/paths.js';
import { loadResults, storeResults } from '../../../lab/uapi/results.js';
import { proof } from './sources.js';

describe('uapi: the program', () => {
  let directory: string;
  const results = (): string => path.join(directory, 'results');
  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), 'vfio-uapi-'));
    mkdirSync(results());
    writeFileSync(path.join(directory, 'vfio.h'), '#define VFIO_GAUGE 1\n#define VFIO_API_VERSION 0\n');
    writeFileSync(path.join(directory, 'iommufd.h'), 'enum { IOMMU_GAUGE };\n');
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  /** Never without --check, which keeps it from writing into this checkout. */
  function run(...words: string[]): { status: number | null; stdout: string; stderr: string } {
    const argv = [path.join(packageRoot, 'dist', 'lab', 'uapi', 'main.js'), '--check', ...words];
    const env = { ...process.env, VFIO_TEST_RESULTS: results() };
    return spawnSync(process.execPath, argv, { env, encoding: 'utf8' });
  }

  it('fails, names each thing that is missing, and leaves its results beside those it read', () => {
    const { title, ...evidence } = proof(['VFIO_API_VERSION']);
    storeResults(
      [{ name: 'lab stock', seconds: 1, outcomes: [{ title, state: 'passed', evidence }] }],
      results(),
    );
    const { status, stdout } = run('--headers', directory);
    assert.equal(status, 1);
    assert.match(stdout, /VFIO_GAUGE \(linux\/vfio\.h, line 1\) has no row/);
    assert.match(stdout, /IOMMU_GAUGE \(linux\/iommufd\.h, line 1\) has no row/);
    assert.match(stdout, /VFIO_SET_IOMMU has a row, but is in no header/);
    assert.match(stdout, /no passed test covers\('VFIO_SET_IOMMU'\)/);
    assert.doesNotMatch(stdout, /covers\('VFIO_API_VERSION'\)/);
    assert.match(stdout, /docs\/uapi-coverage\.md is not: npm run uapi writes it anew/);
    const own = loadResults(results()).find(stage => stage.name === 'uapi');
    assert.equal(own?.outcomes.find(outcome => outcome.title.startsWith('every name'))?.state, 'failed');
  });

  it('makes nothing of nothing', () => {
    const { status, stderr } = run('--headers', directory);
    assert.equal(status, 1);
    assert.match(stderr, /^uapi: there are no results of tests: run npm test and npm run test:matrix first/);
  });

  it('refuses options that it does not know, and explains itself', () => {
    const { status, stderr } = run('--chek');
    assert.equal(status, 2);
    assert.match(stderr, /Unknown option '--chek'[^]*usage: npm run uapi/);
    const help = run('--help');
    assert.deepEqual([help.status, help.stderr], [0, '']);
    assert.match(help.stdout, /^usage: npm run uapi/);
  });
});
