import assert from 'node:assert/strict';
import { DeadQemuError, LabError } from '../../../lab/error.js';
import { despiteDeadQemu } from '../../support/despite-dead-qemu.js';

describe('work that boots a machine', () => {
  const tried = async (...failures: (Error | undefined)[]): Promise<{ said: string[]; result: string }> => {
    const said: string[] = [];
    let count = 0;
    const work = async (): Promise<string> => {
      const failure = failures[count++];
      await Promise.resolve();
      if (failure !== undefined) throw failure;
      return `done at ${count}`;
    };
    const failed = (error: unknown): string => `${(error as Error).message} at ${count}`;
    return { result: await despiteDeadQemu(work, text => said.push(text)).catch(failed), said };
  };

  it('is done once', async () => {
    assert.deepEqual(await tried(), { result: 'done at 1', said: [] });
  });

  it('is done again, twice at most, when QEMU died', async () => {
    const { result, said } = await tried(new DeadQemuError('an assertion'));
    assert.equal(result, 'done at 2');
    assert.match(said.join(), /^an assertion\n\nQEMU died\. Once more/);
    const dead = new DeadQemuError('dead');
    assert.equal((await tried(dead, dead)).result, 'done at 3');
    assert.equal((await tried(dead, dead, dead)).result, 'dead at 3');
  });

  it('is not done again when anything else went wrong', async () => {
    assert.deepEqual(await tried(new LabError('too slow')), { result: 'too slow at 1', said: [] });
  });
});
