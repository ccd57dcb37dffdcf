import assert from 'node:assert/strict';
import { parseArguments, usage } from '../../semantics/arguments.js';
import { majorOf } from '../../semantics/nodes.js';

describe('test:semantics: command line', () => {
  it('runs everything unless told otherwise, on each supported Node and this one', () => {
    const { nodes, tiers, grep, help } = parseArguments([]);
    const majors = nodes.map(node => majorOf(node.version));
    assert.deepEqual([...new Set(['20', '22', '24', '26', majorOf(process.versions.node)])].sort(), majors);
    assert.deepEqual(
      tiers.map(tier => tier.name),
      ['interpreter', 'Sparkplug', 'Maglev', 'TurboFan'],
    );
    assert.deepEqual([grep, help], ['', false]);
  });

  it('picks Nodes and tiers', () => {
    const { nodes, tiers } = parseArguments(['--node', '24', '--tier', 'Maglev', '--tier', 'interpreter']);
    assert.deepEqual(
      nodes.map(node => majorOf(node.version)),
      ['24'],
    );
    assert.deepEqual(
      tiers.map(tier => tier.name),
      ['interpreter', 'Maglev'],
    );
  });

  it('names what it does not know', () => {
    assert.throws(() => parseArguments(['--node', '19']), { name: 'RangeError', message: /no Node '19'/ });
    assert.throws(() => parseArguments(['--tier', 'JIT']), { name: 'RangeError', message: /no tier 'JIT'/ });
    assert.throws(() => parseArguments(['--fast']), { name: 'RangeError' });
    for (const option of ['--node', '--tier', '--grep', '--help']) assert.ok(usage.includes(option));
  });
});
