import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import path from 'node:path';
import type { Outcome } from '../records.js';
import { runNode } from './child.js';
import type { Stage } from './stage.js';

const cache = (name: string): string => path.join('node_modules', '.cache', name);

/** Each is one check of this name. */
const checks = {
  eslint: [
    'node_modules/eslint/bin/eslint.js',
    '--cache',
    '--cache-location',
    cache('eslint'),
    '--max-warnings=0',
    '.',
  ],
  prettier: [
    'node_modules/prettier/bin/prettier.cjs',
    '--cache',
    '--cache-location',
    cache('prettier'),
    '--check',
    '.',
  ],
  'clang-format': ['scripts/clang-format.mjs'],
} as const;

/** A check takes seconds; one that hangs shall not hold up everything. */
const timeoutMs = 180_000;

export const lintStage: Stage = {
  name: 'lint',
  run: output =>
    Promise.all(
      Object.entries(checks).map(async ([title, argv]): Promise<Outcome> => {
        const own = new PassThrough();
        const said = text(own);
        const ending = await runNode(argv, { output: own, timeoutMs });
        own.end();
        output.write(`  ${ending === undefined ? 'ok' : 'FAILED'} ${title}\n`);
        if (ending === undefined) return { title, state: 'passed' };
        return { title, state: 'failed', detail: `${(await said).trimEnd()}\n(${ending})` };
      }),
    ),
};
