// Checks the layout of the native sources, or with --write puts it right. The npm package carries the binary, so that
// everyone formats with the same version.
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const root = new URL('../', import.meta.url);
const directories = ['native/', 'test/semantics/tracer/'];
const binary = createRequire(import.meta.url)('clang-format').location;
const write = process.argv.includes('--write');

const wrong = [];
const names = directories.flatMap(directory =>
  readdirSync(new URL(directory, root))
    .filter(file => /\.(cc|h)$/.test(file))
    .map(file => directory + file),
);
for (const name of names) {
  const file = new URL(name, root);
  const formatted = execFileSync(binary, ['--style=file', fileURLToPath(file)], { encoding: 'utf8' });
  if (formatted === readFileSync(file, 'utf8')) continue;
  if (write) writeFileSync(file, formatted);
  else wrong.push(name);
}

if (wrong.length > 0) {
  console.error(`Not formatted (npm run format does it):\n${wrong.join('\n')}`);
  process.exitCode = 1;
}
