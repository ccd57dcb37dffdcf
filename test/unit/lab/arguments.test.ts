import assert from 'node:assert/strict';
import { parseArguments } from '../../../lab/arguments.js';

const plain = { profile: 'stock', verbose: false, action: 'run' };

describe('lab: command line', () => {
  it('passes the command on exactly as given', () => {
    assert.deepEqual(parseArguments(['echo', 'a  b', '', '--verbose', '$HOME']), {
      ...plain,
      argv: ['echo', 'a  b', '', '--verbose', '$HOME'],
    });
  });

  it('does not split a single word', () => {
    assert.deepEqual(parseArguments(['echo hello']), { ...plain, argv: ['echo hello'] });
  });

  it('takes options before the command only', () => {
    const expected = { profile: 'stock-6.12', verbose: true, action: 'run', argv: ['uname', '-r'] };
    assert.deepEqual(parseArguments(['--profile', 'stock-6.12', '--verbose', 'uname', '-r']), expected);
    assert.deepEqual(parseArguments(['--verbose', '--profile=stock-6.12', '--', 'uname', '-r']), expected);
  });

  it('lets a command start with a dash after --', () => {
    assert.deepEqual(parseArguments(['--', '-x']), { ...plain, argv: ['-x'] });
  });

  it('starts a shell without a command', () => {
    assert.deepEqual(parseArguments([]), { ...plain, action: 'shell', argv: [] });
    assert.deepEqual(parseArguments(['--verbose', '--']), {
      ...plain,
      verbose: true,
      action: 'shell',
      argv: [],
    });
  });

  it('knows --list and --help', () => {
    assert.equal(parseArguments(['--list']).action, 'list');
    assert.equal(parseArguments(['--help']).action, 'help');
  });

  it('refuses what it does not know', () => {
    assert.throws(() => parseArguments(['--profil', 'stock']), /unknown option --profil;/);
    assert.throws(() => parseArguments(['-v']), /unknown option -v;/);
    assert.throws(() => parseArguments(['--profile']), /--profile needs a value/);
    assert.throws(() => parseArguments(['--profile=']), /--profile needs a value/);
  });
});
