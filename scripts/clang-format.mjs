// Checks the layout of the native sources, or with --write puts it right. The npm package carries the binary, so that
// everyone formats with the same version.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const root = new URL('../', import.meta.url);
const directories = ['native/', 'test/semantics/tracer/'];
const binary = createRequire(import.meta.url)('clang-format').location;
const files = directories.flatMap(directory =>
  readdirSync(new URL(directory, root))
    .filter(file => /\.(cc|h)$/.test(file))
    .map(file => directory + file),
);
// One process for all of them: starting it takes longer than what it does.
const how = process.argv.includes('--write') ? ['-i'] : ['--dry-run', '--Werror'];
const { status, stderr } = spawnSync(binary, [...how, '--style=file', ...files], {
  cwd: fileURLToPath(root),
  encoding: 'utf8',
});
if (status !== 0) {
  const wrong = new Set([...stderr.matchAll(/^([^:\n]+):\d+:\d+: error/gm)].map(([, file]) => file));
  console.error(
    wrong.size > 0 ? `Not formatted (npm run format does it):\n${[...wrong].join('\n')}` : stderr,
  );
  process.exitCode = 1;
}
