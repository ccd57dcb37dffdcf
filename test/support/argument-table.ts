import assert from 'node:assert/strict';
import { types } from 'node:util';
import { VfioError } from '../../lib/errors/vfio-error.js';
import { trapped, values } from './wrong-values.js';

/** An argument of a public function, and what of `values` it takes. */
export interface Entry {
  /** `Class.method`, as in the API. */
  of: string;
  /** How messages call it. */
  argument: string;
  call: (value: unknown) => unknown;
  takes: (value: unknown) => boolean;
  /** Errors come as rejections. */
  async: boolean;
}

/** Which functions take which arguments, to be tried with everything else. */
export class ArgumentTable {
  readonly #entries: Entry[] = [];

  add(of: string, argument: string, takes: Entry['takes'], call: Entry['call'], async = false): void {
    this.#entries.push({ of, argument, takes, call, async });
  }

  /** Each option by itself, each misspelt, and the object of them. */
  addOptions(
    of: string,
    name: string,
    options: Readonly<Record<string, Entry['takes']>>,
    call: Entry['call'],
    async = false,
  ): void {
    this.add(of, name, isOptions, call, async);
    for (const [option, takes] of Object.entries(options)) {
      this.add(of, option, takes, value => call({ [option]: value }), async);
      this.add(
        of,
        `${option}x`,
        () => false,
        value => call({ [`${option}x`]: value }),
        async,
      );
    }
  }

  has(of: string): boolean {
    return this.#entries.some(entry => entry.of === of);
  }

  /** A test for each entry. */
  test(): void {
    for (const { of, argument, call, takes, async } of this.#entries) {
      it(`${of}: a wrong ${argument} is named`, async () => {
        for (const [label, value] of Object.entries(values)) {
          if (takes(value)) continue;
          checkError(await errorOf(call, value, async, label), argument, label);
        }
      });
    }
  }
}

/** An object that may hold options. Reading one may run a getter of the caller's, whose exception is the caller's. */
export function isOptions(value: unknown): boolean {
  return (
    value === undefined ||
    (typeof value === 'object' && value !== null && !types.isProxy(value) && !Array.isArray(value))
  );
}

async function errorOf(call: Entry['call'], value: unknown, async: boolean, label: string): Promise<unknown> {
  let result: unknown;
  try {
    result = call(value);
  } catch (error) {
    assert(!async, `with ${label} it threw instead of rejecting: ${String(error)}`);
    return error;
  }
  assert.equal(result instanceof Promise, async, `with ${label} nothing was thrown`);
  try {
    await result;
  } catch (error) {
    return error;
  }
  assert.fail(`with ${label} nothing was thrown`);
}

function checkError(error: unknown, argument: string, label: string): void {
  if (error === trapped && label === 'getters that throw') return;
  assert(error instanceof Error, label);
  const known = error instanceof TypeError || error instanceof RangeError || error instanceof VfioError;
  assert(known, `with ${label}: ${error.name}: ${error.message}`);
  const { code } = error as NodeJS.ErrnoException;
  assert.match(
    String(code),
    /^ERR_(INVALID_ARG_TYPE|INVALID_ARG_VALUE|OUT_OF_RANGE|UNKNOWN_OPTION)$/,
    `with ${label}: ${error.stack}`,
  );
  assert(error.message.includes(argument), `with ${label} the message lacks '${argument}': ${error.message}`);
  assert(error.message.length < 1200, `with ${label} the message has ${error.message.length} characters`);
}
