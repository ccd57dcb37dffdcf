import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import { gunzipSync } from 'node:zlib';
import { readFragments } from '../../../lab/built-kernels';
import { kernelHas } from '../../../lab/kernel-features';
import { optionsFor, unmetOptions } from '../../../lab/kernel-options';
import { skip } from '../../support/skip';

describe('machine: kernel', () => {
  it('is the one that the profile names', function () {
    const kernel = process.env['LAB_KERNEL'];
    if (kernel === undefined) skip(this, 'needs the lab (npm run lab)');
    const expected = { 'debian-6.1': /^6\.1\./, 'debian-6.12': /^6\.12\./, 'built-6.12': /^6\.12\.\d+-lab$/ }[
      kernel
    ];
    assert.match(os.release(), expected ?? /-lab$/);
    assert.equal(kernelHas('deviceCdev'), kernel !== 'debian-6.1');
  });

  it('can do all that was asked of it', async function () {
    if (!os.release().endsWith('-lab')) skip(this, 'this kernel is not built by the lab');
    const config = gunzipSync(fs.readFileSync('/proc/config.gz')).toString();
    const asked = optionsFor((await readFragments()).flat(), os.release());
    assert.deepEqual(unmetOptions(asked, config), []);
  });
});
