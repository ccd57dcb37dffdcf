import { packageRoot } from '../../../lab/paths.js';
import { progressOn } from '../../../lab/progress.js';
import { bootLab, guestOutDirectory } from '../../../lab/run.js';
import { collect, mochaArguments, type Selection } from './mocha.js';
import type { Stage } from './stage.js';

/** Tests in a mocha process inside the lab's virtual machine. */
export function labStage(profile: string, selection: Selection, timeoutMs: number): Stage {
  return {
    name: `lab ${profile}`,
    run: output =>
      collect(selection, async outDir => {
        await using lab = await bootLab({ profile, outDir, progress: progressOn(output) }, packageRoot);
        const { exitCode, signal } = await lab.run({
          argv: [process.execPath, ...mochaArguments(selection, guestOutDirectory)],
          cwd: packageRoot,
          stdout: output,
          stderr: output,
          timeoutMs,
        });
        if (exitCode === 0) return undefined;
        return signal === undefined ? `exit code ${exitCode}` : `killed by signal ${signal}`;
      }),
  };
}
