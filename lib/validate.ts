/**
 * Argument checks shared by every public function: each names the argument, the rule and the value it got.
 * The codes are Node's own (`ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`, …), so callers tell them apart the usual way.
 */
import { inspect, types } from 'node:util';

/** A value as an error message shows it: one short line, whatever the value does to avoid it. */
export function show(value: unknown): string {
  if (typeof value === 'bigint') return `${short(hex(value))} (bigint)`;
  if (typeof value === 'function') return 'a function';
  return short(inspected(value).replace(/\s+/g, ' '));
}

function short(text: string): string {
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/** `inspect` passes by getters and proxy traps, save for some such as an error's stack or a tag: those may throw. */
function inspected(value: unknown): string {
  try {
    return inspect(value, {
      depth: 0,
      customInspect: false,
      showProxy: true,
      getters: false,
      breakLength: Infinity,
      maxStringLength: 100,
    });
  } catch {
    return `an ${typeof value} that cannot be shown`;
  }
}

/** Bytes and addresses are easier to recognise in hexadecimal. */
export function hex(value: number | bigint): string {
  return value < 0 ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`;
}

export function typeError(name: string, expected: string, value: unknown): TypeError {
  return coded(new TypeError(`${name} must be ${expected}; got ${show(value)}`), 'ERR_INVALID_ARG_TYPE');
}

export function valueError(name: string, rule: string, value: unknown): TypeError {
  return coded(new TypeError(`${name} must be ${rule}; got ${show(value)}`), 'ERR_INVALID_ARG_VALUE');
}

export function rangeError(name: string, rule: string, value: number | bigint): RangeError {
  return coded(new RangeError(`${name} must be ${rule}; got ${short(String(value))}`), 'ERR_OUT_OF_RANGE');
}

export function coded<E extends Error>(error: E, code: string): E {
  return Object.assign(error, { code });
}

export function integer(value: unknown, name: string, min: number, max: number): number {
  if (typeof value !== 'number') throw typeError(name, 'a number', value);
  if (!Number.isSafeInteger(value) || value < min || value > max) {
    throw rangeError(name, `an integer from ${min} to ${max}`, value);
  }
  return value;
}

/** A 64-bit address: a bigint, or a number that is exact. */
export function address64(value: unknown, name: string): bigint {
  if (typeof value === 'number' && Number.isSafeInteger(value)) value = BigInt(value);
  if (typeof value !== 'bigint') throw typeError(name, 'a bigint (or a safe integer)', value);
  if (value < 0n || value > 0xffff_ffff_ffff_ffffn) throw rangeError(name, 'from 0 to 2^64 - 1', value);
  return value;
}

export function boolean(value: unknown, name: string): boolean {
  if (typeof value !== 'boolean') throw typeError(name, 'true or false', value);
  return value;
}

export function string(value: unknown, name: string): string {
  if (typeof value !== 'string') throw typeError(name, 'a string', value);
  return value;
}

/** @param type a class, whose constructor may be private */
export function instanceOf<T>(
  value: unknown,
  type: { readonly name: string; readonly prototype: T; [Symbol.hasInstance](value: unknown): boolean },
  name: string,
): T {
  if (!isInstance(value, type)) throw typeError(name, `a ${type.name}`, value);
  return value;
}

/** `instanceof`; a proxy may throw when it is asked for its prototype. */
export function isInstance<T>(
  value: unknown,
  type: { readonly prototype: T; [Symbol.hasInstance](value: unknown): boolean },
): value is T {
  try {
    return type[Symbol.hasInstance](value);
  } catch {
    return false;
  }
}

/** What an object has by that name; nothing of what is no object, or a proxy that has nothing to tell. */
export function propertyOf(value: unknown, name: string): unknown {
  try {
    return (value as Readonly<Record<string, unknown>> | null | undefined)?.[name];
  } catch {
    return undefined;
  }
}

export function bytes(value: unknown, name: string): Uint8Array {
  if (!types.isUint8Array(value)) throw typeError(name, 'a Uint8Array or Buffer', value);
  return value;
}

export function abortSignal(value: unknown, name: string): AbortSignal | undefined {
  if (value === undefined || isAbortSignal(value)) return value;
  throw typeError(name, 'an AbortSignal', value);
}

/** Told by what is used of it, so that signals of libraries and other realms pass. */
function isAbortSignal(value: unknown): value is AbortSignal {
  try {
    const signal = value as Partial<AbortSignal>;
    return typeof signal.aborted === 'boolean' && typeof signal.addEventListener === 'function';
  } catch {
    return false;
  }
}

export function powerOfTwo(value: unknown, name: string, min: number, max: number): number {
  const n = integer(value, name, min, max);
  if (!Number.isInteger(Math.log2(n))) throw rangeError(name, 'a power of two', n);
  return n;
}

/** The keys of an object; of a proxy only if that allows it. */
function keysOf(value: unknown): string[] | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  try {
    return Array.isArray(value) ? undefined : Object.keys(value);
  } catch {
    return undefined;
  }
}

/**
 * An options object whose every key is one of `allowed`: a misspelt option would otherwise be ignored in silence.
 * Returns the object, or an empty one for `undefined`.
 */
export function options<T extends object>(
  value: T | undefined,
  name: string,
  allowed: readonly (keyof T & string)[],
): T {
  if (value === undefined) return {} as T;
  const keys = keysOf(value);
  if (keys === undefined) throw typeError(name, 'an object', value);
  for (const key of keys) {
    if ((allowed as readonly string[]).includes(key)) continue;
    const close = allowed.find(
      one => one.toLowerCase().replace(/s$/, '') === key.toLowerCase().replace(/s$/, ''),
    );
    const hint =
      close === undefined ? `known options: ${allowed.join(', ')}` : `did you mean ${show(close)}?`;
    throw coded(new TypeError(`${name} has no option ${show(key)}; ${hint}`), 'ERR_UNKNOWN_OPTION');
  }
  return value;
}
