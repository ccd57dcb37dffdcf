import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LabError } from '../../../lab/error.js';
import { runGuarded } from '../../../lab/guarded.js';

const options = { cwd: '/', env: { PATH: process.env['PATH'] ?? '' } };

describe('lab: a long program', () => {
  it('hands its lines over as they come, and its arguments on as they are', async () => {
    const lines: string[] = [];
    await runGuarded(['printf', '%s\\n', 'a  b', '$HOME'], { ...options, onLine: line => lines.push(line) });
    assert.deepEqual(lines, ['a  b', '$HOME']);
  });

  it('fails with its exit code and the end of what it said', async () => {
    const failing = runGuarded(['sh', '-c', 'seq 100; echo why >&2; exit 3'], {
      ...options,
      onLine: () => undefined,
    });
    await assert.rejects(failing, (error: unknown) => {
      assert.ok(error instanceof LabError);
      assert.match(error.message, /ended with 3:\n(.*\n)*100/);
      assert.match(error.message, /^why$/m);
      assert.doesNotMatch(error.message, /^50$/m);
      return true;
    });
  });

  it('does not outlive this process with anything that it started, even when that is killed outright', async () => {
    const program = `
      const { runGuarded } = require(${JSON.stringify(path.join(__dirname, '../../../lab/guarded.js'))});
      void runGuarded(['sh', '-c', 'sleep 300 & echo $!; sleep 300 & echo $!; wait'], {
        cwd: '/', env: process.env, onLine: line => console.log(line),
      });`;
    const parent = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    while (said.split('\n').length < 3) said += String((await once(parent.stdout, 'data'))[0]);
    const started = said.trim().split('\n');
    assert.ok(started.every(pid => existsSync(`/proc/${pid}`)));
    parent.kill('SIGKILL');
    for (let rounds = 0; rounds < 200 && started.some(pid => existsSync(`/proc/${pid}`)); rounds++)
      await sleep(10);
    assert.deepEqual(
      started.filter(pid => existsSync(`/proc/${pid}`)),
      [],
    );
  });
});
