import assert from 'node:assert/strict';
import { readFragments } from '../../../lab/built-kernels.js';
import { kernelHas, missingFeatures } from '../../../lab/kernel-features.js';
import { isAtLeast, optionsFor, parseFragment, unmetOptions } from '../../../lab/kernel-options.js';

describe('lab: kernel options', () => {
  const fragment = [
    '# For people.',
    'CONFIG_A=y',
    '',
    '# since 6.19:',
    'CONFIG_B=y',
    '# CONFIG_C is not set',
    'CONFIG_NAME="-lab"',
  ].join('\n');

  it('are read from a fragment, the comments left out', () => {
    assert.deepEqual(parseFragment(fragment, 'x.config'), [
      { line: 'CONFIG_A=y' },
      { line: 'CONFIG_B=y', since: '6.19' },
      { line: '# CONFIG_C is not set' },
      { line: 'CONFIG_NAME="-lab"' },
    ]);
  });

  it('that are neither an option nor a comment are refused with their place', () => {
    assert.throws(
      () => parseFragment('CONFIG_A=y\nCONFIG_B\n', 'x.config'),
      /^RangeError: x\.config:2: 'CONFIG_B' is /,
    );
  });

  it('leave out what a kernel is too old for', () => {
    const options = parseFragment(fragment, 'x.config');
    assert.equal(optionsFor(options, '6.12.117').length, 3);
    assert.equal(optionsFor(options, '6.19.0').length, 4);
    assert.equal(optionsFor(options, '7.2.12').length, 4);
  });

  it('compare versions by their numbers', () => {
    assert.ok(isAtLeast('6.12.117', '6.12'));
    assert.ok(isAtLeast('7.0-rc1', '6.19'));
    assert.ok(isAtLeast('6.12.117+deb12-amd64', '6.9'));
    assert.ok(!isAtLeast('6.1.0-56-amd64', '6.6'));
  });

  it('that kconfig has dropped are found, and those that shall be off may be absent', () => {
    const config = '#\nCONFIG_A=y\nCONFIG_C=y\n# CONFIG_D is not set\n';
    const asked = [
      'CONFIG_A=y',
      'CONFIG_B=y',
      '# CONFIG_C is not set',
      '# CONFIG_D is not set',
      '# CONFIG_E is not set',
    ];
    assert.deepEqual(unmetOptions(asked, config), ['CONFIG_B=y', '# CONFIG_C is not set']);
  });

  it('of the lab are asked for once each', async () => {
    const names = (await readFragments()).flat().map(({ line }) => /CONFIG_\w+/.exec(line)?.[0]);
    assert.ok(names.length > 100);
    assert.deepEqual(
      names.filter((name, index) => names.indexOf(name) !== index),
      [],
    );
  });
});

describe('lab: kernel features', () => {
  it('are told apart by release', () => {
    assert.ok(kernelHas('deviceCdev', '6.12.117-lab'));
    assert.ok(!kernelHas('pasidAttach', '6.12.117-lab'));
    assert.ok(kernelHas('pasidAttach', '7.2.12-lab'));
    assert.deepEqual(missingFeatures('7.2.12-lab'), [
      'errorsOfAnyPci',
      'resetNamesVirtualFunctions',
      'noiommuCdev',
    ]);
    assert.ok(missingFeatures('6.1.0-56-amd64').includes('deviceCdev'));
  });
});
