import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { LabError } from '../error.js';
import { packageRoot } from '../paths.js';
import { progressOn } from '../progress.js';
import { parseArguments, usage } from './arguments.js';
import { checkTable, type Check } from './check.js';
import { checkConstants } from './constants.js';
import { document } from './document.js';
import { gather } from './evidence.js';
import { ensureHeaders, readHeaders } from './headers.js';
import { loadResults, proofsOf, storeResults } from './results.js';
import { excluded, sections } from './rows/index.js';
import { linesOf } from './table.js';

/** Where the results of this very program are kept, beside those it reads. */
const stageName = 'uapi';

const documentFile = path.join(packageRoot, 'docs', 'uapi-coverage.md');

/** `npm run uapi`: see `usage`. */
async function main(): Promise<number> {
  const { help, check, headers: directory } = parseArguments(process.argv.slice(2));
  if (help) {
    process.stdout.write(usage);
    return 0;
  }
  const start = performance.now();
  const results = loadResults().filter(stage => stage.name !== stageName);
  if (results.length === 0)
    throw new LabError('there are no results of tests: run npm test and npm run test:matrix first');
  const { version, headers } = readHeaders(directory ?? (await ensureHeaders(progressOn(process.stderr))));
  const sources = { headers, sections, excluded, proofs: gather(proofsOf(results)) };
  const lines = linesOf(sources);
  const text = document(sources, lines, version);
  const checks = [...checkTable(sources, lines), checkConstants(headers), upToDate(text, check)];
  report(checks);
  storeResults([
    { name: stageName, outcomes: checks.map(outcomeOf), seconds: (performance.now() - start) / 1000 },
  ]);
  const problems = checks.flatMap(one => one.problems).length;
  process.stdout.write(`uapi: ${lines.length} names of Linux ${version}, ${problems} problems\n`);
  return problems === 0 ? 0 : 1;
}

/** Writes the document, or only looks whether it is as it should be. */
function upToDate(text: string, check: boolean): Check {
  const title = 'the document is as the results say';
  if (current() === text) return { title, problems: [] };
  const name = path.relative(packageRoot, documentFile);
  if (check) return { title, problems: [`${name} is not: npm run uapi writes it anew`] };
  mkdirSync(path.dirname(documentFile), { recursive: true });
  writeFileSync(documentFile, text);
  process.stdout.write(`uapi: ${name} was written anew\n`);
  return { title, problems: [] };
}

function current(): string | undefined {
  try {
    return readFileSync(documentFile, 'utf8');
  } catch {
    return undefined;
  }
}

function report(checks: readonly Check[]): void {
  for (const { title, problems } of checks) {
    process.stdout.write(`  ${problems.length === 0 ? 'ok' : 'FAILED'} ${title}\n`);
    for (const problem of problems) process.stdout.write(`       ${problem}\n`);
  }
}

function outcomeOf({ title, problems }: Check): {
  title: string;
  state: 'passed' | 'failed';
  detail?: string;
} {
  return problems.length === 0
    ? { title, state: 'passed' }
    : { title, state: 'failed', detail: problems.join('\n') };
}

main().then(
  code => {
    process.exitCode = code;
  },
  (error: unknown) => {
    const expected = error instanceof LabError || error instanceof RangeError;
    process.stderr.write(`uapi: ${expected ? error.message : String((error as Error).stack)}\n`);
    process.exitCode = error instanceof RangeError ? 2 : 1;
  },
);
