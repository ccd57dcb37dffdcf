/** Why tests were skipped: by the test, or by the suite whose `before` hook skipped all of it. */
const reasons = new WeakMap<object, string>();

/**
 * Ends a test that cannot run here, or in a `before` hook the whole suite, and says why. The only way to skip: the
 * reporter counts a test that was skipped without a reason as failed.
 */
export function skip(context: Mocha.Context, reason: string): never {
  reasons.set(skipped(context), reason);
  return context.skip();
}

/** What a skip in this context ends. */
function skipped({ test, currentTest }: Mocha.Context): object {
  if (test === undefined) throw new Error('skip() belongs in a test or a hook');
  if (!('type' in test) || test.type !== 'hook') return test;
  return currentTest !== undefined && test.title.startsWith('"before each"')
    ? currentTest
    : (test.parent ?? test);
}

/** The reason given for a test, if any. */
export function skipReason(test: Mocha.Test): string | undefined {
  const own = reasons.get(test);
  if (own !== undefined) return own;
  for (let suite = test.parent; suite !== undefined; suite = suite.parent) {
    const reason = reasons.get(suite);
    if (reason !== undefined) return reason;
  }
  return undefined;
}
