/**
 * What LeakSanitizer says at the end of a process, judged. Most of it is Node's own, which frees little at its end. Ours
 * is what our code allocates, and what it gets from a call of N-API that leaves it to us to free.
 */
import type { Outcome } from '../records.js';

/** Calls of N-API whose result the caller must give back. */
const owned = [
  'napi_create_reference',
  'napi_create_async_work',
  'napi_async_init',
  'napi_add_async_cleanup_hook',
  'napi_create_promise',
  'napi_open_handle_scope',
  'uv_',
];

/** What is known and cannot be helped: the functions of a stack, from the allocation on, and why. */
const excused: readonly { frames: readonly string[]; reason: string }[] = [
  {
    frames: ['napi_create_promise', 'vfio::Task::start'],
    reason: 'a call in flight when its worker was terminated: N-API frees a promise only by settling it',
  },
];

export interface Leak {
  bytes: number;
  objects: number;
  /** Functions, from the one that allocated on. */
  stack: readonly string[];
}

/** The leaks in a report; those only reachable from other leaks left out. */
export function parseLeaks(report: string): Leak[] {
  return report.split(/\n\n+/).flatMap(block => {
    const counts = /^Direct leak of (\d+) byte\(s\) in (\d+) object/m.exec(block);
    if (counts === null) return [];
    const stack = [...block.matchAll(/^ +#\d+ 0x[0-9a-f]+ in (.*)$/gm)].map(([, frame = '']) => frame);
    return [{ bytes: Number(counts[1]), objects: Number(counts[2]), stack: afterAllocator(stack) }];
  });
}

/** Without the frames of the sanitizer's own malloc and operator new. */
function afterAllocator(stack: readonly string[]): string[] {
  const first = stack.findIndex(frame => !/libsanitizer|^(operator new|malloc|calloc|realloc)\b/.test(frame));
  return stack.slice(Math.max(first, 0));
}

/** Whether it is for our code to free. */
export function isOurs({ stack }: Leak): boolean {
  const at = stack.findIndex(inAddon);
  if (at < 0) return false;
  return stack.slice(0, at).every(frame => isLibrary(frame) || owned.some(name => frame.startsWith(name)));
}

function inAddon(frame: string): boolean {
  return /\/native\/[\w-]+\.(cc|h)\b|\(.*\bvfio\.node\+/.test(frame);
}

/** The standard library, compiled into ours. */
function isLibrary(frame: string): boolean {
  return /\/include\/c\+\+\/|^std::|^__gnu_cxx::|libstdc\+\+/.test(frame);
}

export function excuse({ stack }: Leak): string | undefined {
  return excused.find(({ frames }) => frames.every((name, i) => stack[i]?.startsWith(name)))?.reason;
}

/** One check of that name; its detail says what was let pass, and why. */
export function leakOutcome(report: string): Outcome & { note: string } {
  const all = parseLeaks(report);
  const ours = all.filter(isOurs);
  const bad = ours.filter(leak => excuse(leak) === undefined);
  const sum = (leaks: readonly Leak[]): string => `${leaks.reduce((n, leak) => n + leak.objects, 0)} objects`;
  const note = [
    `${sum(bad)} leaked by the addon`,
    `${sum(all.filter(leak => !ours.includes(leak)))} by Node itself, which are not looked at`,
    ...[...new Set(ours.map(excuse))].flatMap(reason =>
      reason === undefined
        ? []
        : [`${sum(ours.filter(leak => excuse(leak) === reason))} let pass: ${reason}`],
    ),
  ].join('; ');
  const title = 'nothing is leaked';
  if (bad.length === 0) return { title, state: 'passed', note };
  const detail = bad
    .map(
      ({ bytes, objects, stack }) =>
        `${bytes} bytes in ${objects} objects\n  ${stack.slice(0, 12).join('\n  ')}`,
    )
    .join('\n');
  return { title, state: 'failed', detail, note };
}
