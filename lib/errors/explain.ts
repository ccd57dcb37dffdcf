/** From a failed system call to a {@link VfioError}: the one place where native errors pass on their way to the user. */
import { causes } from './causes';
import { type Step, type Steps, step } from '../steps';
import { kernelIsAtLeast, kernelRelease } from './facts';
import { VfioError } from './vfio-error';

/** What the caller knows about the call that may fail; the causes draw on it. */
export interface Context {
  /** What was being done, as a sentence opening: `'Opening group 12'`. */
  doing: string;
  address?: string | undefined;
  groupId?: number | undefined;
  path?: string | undefined;
  iova?: bigint | undefined;
  size?: number | undefined;
  /** More for particular causes: which ranges were valid, how many mappings were left, … */
  facts?: Readonly<Record<string, string | number | undefined>> | undefined;
  /** What of the call is younger than the library's oldest kernel, and the kernel that brought it: `'6.13'`. */
  since?: { what: string; kernel: string } | undefined;
}

/** How kernels answer what they do not know yet: a call, a flag, a longer struct. */
const unknown: ReadonlySet<string> = new Set(['ENOTTY', 'ENOTSUP', 'EINVAL', 'E2BIG', 'ENOSYS']);

/** An error from the native layer or from Node's own fs. */
export interface SystemError extends Error {
  code: string;
  errno?: number;
  syscall: string;
  path?: string;
}

export function isSystemError(error: unknown): error is SystemError {
  return error instanceof Error && 'code' in error && 'syscall' in error && typeof error.syscall === 'string';
}

/** Turns what a system call threw into a {@link VfioError}; anything else passes unchanged. */
export function explain(error: unknown, context: Context): unknown {
  if (error instanceof VfioError || !isSystemError(error)) return error;
  const path = error.path ?? context.path;
  const tooOld = kernelTooOld(error, context);
  const cause = tooOld ?? causes(error.syscall, error.code, { ...context, path });
  const where = path === undefined || context.doing.includes(path) ? '' : ` on ${path}`;
  return new VfioError(`${context.doing} failed: ${error.syscall}${where} answered ${error.code}`, {
    code: tooOld === undefined ? error.code : 'ERR_VFIO_UNSUPPORTED',
    errno: error.errno,
    syscall: error.syscall,
    path,
    address: context.address,
    ...cause,
    cause: error,
  });
}

/** A kernel that cannot know what it was asked for. One that could, because it was ported back, does not get here. */
function kernelTooOld(
  { code }: SystemError,
  { since }: Context,
): { likelyCause: string; cure: string } | undefined {
  if (since === undefined || !unknown.has(code) || kernelIsAtLeast(since.kernel)) return undefined;
  return {
    likelyCause: `this kernel is ${kernelRelease()}, and ${since.what} came with ${since.kernel}`,
    cure: `Linux ${since.kernel} or later`,
  };
}

/** Runs `work`; a failed system call in it is thrown as a {@link VfioError}. */
export function attempt<T>(context: Context, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw explain(error, context);
  }
}

/** The same for a blocking step. */
export function* attemptStep<T>(context: Context, work: Step<T>): Steps<T> {
  try {
    return yield* step(work);
  } catch (error) {
    throw explain(error, context);
  }
}
