/**
 * How tests say what of the kernel's interface they prove. `npm run uapi` makes docs/uapi-coverage.md of it: a claim
 * counts for the machine and the kernel that the test passed on, and for none where it was skipped or failed.
 */
import * as os from 'node:os';
import * as path from 'node:path';
import type { Evidence } from '../../lab/uapi/evidence.js';
import type { UapiEntry } from '../../lab/uapi/rows/index.js';

interface Claims {
  proven: Set<UapiEntry>;
  refused: Set<UapiEntry>;
}

/** Those of the test that runs now. `null` between tests, `undefined` where no reporter of ours listens. */
let claims: Claims | null | undefined;

/**
 * The running test has the running kernel do all of these: name an ioctl when its result was looked at, a flag when its
 * effect was seen. Where a test does so only on some machines, the call belongs behind the same condition.
 */
export function covers(...entries: UapiEntry[]): void {
  for (const entry of entries) current()?.proven.add(entry);
}

/**
 * The running test shows what becomes of these where they cannot be done: a request that is refused, by the kernel or by
 * this package, or an answer that they are not part of. It is what remains for what no machine of the lab has.
 */
export function refusal(...entries: UapiEntry[]): void {
  for (const entry of entries) current()?.refused.add(entry);
}

function current(): Claims | undefined {
  if (claims === null) throw new Error('covers() and refusal() belong in a test');
  return claims;
}

/** For the reporter: it listens, and no test runs. */
export function expectClaims(): void {
  claims = null;
}

/** For the reporter: a test begins. */
export function beginClaims(): void {
  claims = { proven: new Set(), refused: new Set() };
}

/** For the reporter: the test has ended. Returns what it claims, if anything. */
export function endClaims(test: Pick<Mocha.Runnable, 'file'>): Evidence | undefined {
  const ended = claims;
  expectClaims();
  if (!ended || ended.proven.size + ended.refused.size === 0) return undefined;
  return {
    proven: [...ended.proven].sort(),
    refused: [...ended.refused].sort(),
    file: sourceOf(test.file ?? ''),
    profile: process.env['LAB_PROFILE'],
    kernel: os.release(),
  };
}

/** `test/lab/x.test.ts` of a compiled file, as everybody calls it. */
function sourceOf(file: string): string {
  return path.relative(path.join(__dirname, '..', '..'), file).replace(/\.js$/, '.ts');
}
