import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { parseArguments, usage } from '../../support/runner/arguments.js';
import { runNode } from '../../support/runner/child.js';
import { hostStage } from '../../support/runner/mocha.js';
import { runStages, type Stage } from '../../support/runner/stage.js';
import { summary } from '../../support/runner/summary.js';

/** Collects what is written. */
class Sink extends Writable {
  text = '';
  override _write(chunk: Buffer, _encoding: string, callback: () => void): void {
    this.text += chunk.toString();
    callback();
  }
}

const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms));

describe('the command line of npm test', () => {
  it('is understood', () => {
    assert.deepEqual(parseArguments([]), { help: false, only: [], grep: undefined, profiles: [] });
    assert.deepEqual(
      parseArguments(['--only', 'unit', '--only=lint', '--grep', 'dma', '--profile', 'stock']),
      {
        help: false,
        only: ['unit', 'lint'],
        grep: 'dma',
        profiles: ['stock'],
      },
    );
    assert.equal(parseArguments(['--help']).help, true);
    for (const option of ['--only', '--grep', '--profile', '--help', 'lab-host'])
      assert(usage.includes(option));
  });

  it('is refused where it makes no sense', () => {
    const refused = (message: RegExp, ...words: string[]): void =>
      assert.throws(() => parseArguments(words), { name: 'RangeError', message });
    refused(/Unknown option '--onyl'/, '--onyl', 'unit');
    refused(/there is no part 'units'; there are: lint, unit, lab-host, lab/, '--only', 'units');
    refused(/there is no part 'constructor'/, '--only', 'constructor');
    refused(/there is no profile 'sotck'; there are: stock/, '--profile', 'sotck');
    refused(/unit/, 'unit');
    refused(/--grep/, '--grep');
  });
});

describe('stages', () => {
  const stage = (name: string, ms: number, ...details: string[]): Stage => ({
    name,
    run: async output => {
      for (const detail of details) {
        output.write(`${name} ${detail}\n`);
        await pause(ms);
      }
      return [{ title: 'test', state: 'passed' }];
    },
  });

  it('run two at a time, each with its output in one piece', async () => {
    const sink = new Sink();
    const results = await runStages(
      [stage('slow', 15, 'a', 'b', 'c'), stage('quick', 1, 'd', 'e'), stage('last', 1, 'f')],
      sink,
    );
    assert.deepEqual(
      results.map(result => result.name),
      ['slow', 'quick', 'last'],
    );
    assert.match(sink.text, /^test: slow \.\.\.\ntest: quick \.\.\.\n/);
    assert.match(sink.text, /\nquick d\nquick e\ntest: quick: 1 passed, 0 failed, 0 skipped, 0\.\d s\n/);
    assert.match(sink.text, /\nslow a\nslow b\nslow c\ntest: slow: /);
    assert(results.every(result => result.seconds > 0));
  });

  it('show the output of a single one as it comes', async () => {
    const sink = new Sink();
    const running = runStages([stage('only', 20, 'a', 'b')], sink);
    await pause(10);
    assert.equal(sink.text, 'test: only ...\nonly a\n');
    await running;
    assert.match(sink.text, /^test: only \.\.\.\nonly a\nonly b\ntest: only: 1 passed/);
  });

  it('do not stop at one that fails', async () => {
    const broken: Stage = { name: 'broken', run: () => Promise.reject(new Error('no machine')) };
    const results = await runStages([broken, stage('after', 1, 'a')], new Sink());
    assert.deepEqual(
      results.map(({ outcomes }) => outcomes.map(one => one.state)),
      [['failed'], ['passed']],
    );
    assert.match(results[0]?.outcomes[0]?.detail ?? '', /no machine/);
  });

  it('of mocha return what it wrote, and fail without a test', async () => {
    const run = (glob: string, grep?: string) =>
      hostStage('host', { globs: [glob], grep }, 20_000).run(new Sink());
    const fixtures = 'dist/test/support/fixtures';
    assert.deepEqual(await run(`${fixtures}/passes.js`), [
      { title: 'passes > one', state: 'passed' },
      { title: 'passes > two', state: 'passed' },
    ]);
    assert.equal((await run(`${fixtures}/passes.js`, 'two')).length, 1);
    assert.deepEqual(await run(`${fixtures}/passes.js`, 'three'), []);
    const missing = await run(`${fixtures}/no-such-file.js`);
    assert.deepEqual(
      missing.map(one => one.state),
      ['failed'],
    );
  });
});

describe('child processes', () => {
  it('are said to have ended in words', async () => {
    const run = (code: string, timeoutMs = 10_000) =>
      runNode(['-e', code], { output: new Sink(), timeoutMs });
    assert.equal(await run(''), undefined);
    assert.equal(await run('process.exit(3)'), 'exit code 3');
    assert.equal(await run("process.kill(process.pid, 'SIGKILL')"), 'killed by SIGKILL');
    assert.equal(await run('setInterval(() => undefined, 1000)', 300), 'it did not end within 0.3 s');
  });
});

describe('the summary', () => {
  const results = [
    {
      name: 'unit',
      seconds: 12.34,
      outcomes: [
        { title: 'a', state: 'passed' as const },
        { title: 'b', state: 'skipped' as const, detail: 'no hardware' },
      ],
    },
    {
      name: 'lab stock',
      seconds: 60,
      outcomes: [{ title: 'c > d', state: 'failed' as const, detail: 'Error: no\n    at here' }],
    },
  ];

  it('has a table, the skips, the failures in full, and the counts as its last line', () => {
    assert.equal(
      summary(results, 61),
      `
stage      passed  failed  skipped  seconds
unit            1       0        1     12.3
lab stock       0       1        0     60.0
in all          1       1        1     61.0

Skipped:
  1) unit: b: no hardware

Failed:
  1) lab stock: c > d
     Error: no
         at here


1 passed, 1 failed, 1 skipped
`,
    );
  });

  it('leaves out what there is none of', () => {
    const [unit] = results;
    const passed = { name: 'unit', seconds: 1, outcomes: unit?.outcomes.slice(0, 1) ?? [] };
    assert.match(summary([passed], 1), /seconds\nunit .*\nin all .*\n\n1 passed, 0 failed, 0 skipped\n$/);
  });
});
