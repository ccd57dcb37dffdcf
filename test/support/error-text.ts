import { inspect } from 'node:util';

/** All that an error says, its causes included, without the stack frames of Node and mocha. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return `threw ${inspect(error)}`;
  const { cause } = error;
  const stack = error.stack ?? String(error);
  // Mocha keeps here what else went wrong in the same test.
  const others = (error as { multiple?: unknown[] }).multiple ?? [];
  return [
    // An assertion's message may be longer than the part of it that the stack repeats.
    ownFrames(stack.includes(error.message) ? stack : `${error.message}\n${stack}`),
    ...(cause === undefined ? [] : [`caused by: ${errorText(cause)}`]),
    ...others.map(other => `and: ${errorText(other)}`),
  ].join('\n');
}

function ownFrames(stack: string): string {
  return stack
    .split('\n')
    .filter(line => !/^\s+at .*(\bnode:|[\\/]node_modules[\\/]mocha[\\/])/.test(line))
    .join('\n');
}

export function indent(text: string, by: string): string {
  return text.replace(/^(?=.)/gm, by);
}
