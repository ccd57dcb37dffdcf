/** What a program may pass by mistake, or with intent: every kind of value, and some that fight back. */
import { Container } from '../../lib/container.js';
import { Group } from '../../lib/group.js';

/** What the values that fight back throw. */
export const trapped = new Error('a trap of the value ran');

function explode(): never {
  throw trapped;
}

const everyTrap = new Proxy({}, { get: () => explode });

/** An object with a getter that throws for each property that is asked for. */
const explodingOptions = Object.defineProperties(
  {},
  Object.fromEntries(
    [
      'bind',
      'container',
      'counts',
      'count',
      'start',
      'signal',
      'aborted',
      'offset',
      'iova',
      'driver',
      'buffer',
    ].map(name => [name, { get: explode, enumerable: true }]),
  ),
);

function revoked(target: object): object {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

export const values: Readonly<Record<string, unknown>> = {
  undefined: undefined,
  null: null,
  true: true,
  false: false,
  '0': 0,
  '1': 1,
  '3': 3,
  '-1': -1,
  '1.5': 1.5,
  NaN,
  Infinity,
  '-Infinity': -Infinity,
  '2 ** 32': 2 ** 32,
  '2 ** 53': 2 ** 53,
  "''": '',
  "'text'": 'text',
  "'constructor'": 'constructor',
  "'__proto__'": '__proto__',
  'a huge string': 'x'.repeat(2 ** 20),
  '1n': 1n,
  '-1n': -1n,
  '2n ** 64n': 2n ** 64n,
  '2n ** 9999n': 2n ** 9999n,
  symbol: Symbol('wrong'),
  'symbol without a name': Symbol(),
  '{}': {},
  '[]': [],
  '[1]': [1],
  'an object without prototype': Object.create(null) as unknown,
  function: () => 1,
  class: Map,
  Date: new Date(0),
  RegExp: /x/,
  Map: new Map([['bind', true]]),
  Error: new Error('wrong'),
  Promise: Promise.resolve(1),
  'Number object': new Number(1),
  'String object': new String('0000:03:00.0'),
  Uint16Array: new Uint16Array(1),
  DataView: new DataView(new ArrayBuffer(8)),
  ArrayBuffer: new ArrayBuffer(4096),
  'no container': Object.create(Container.prototype) as unknown,
  'no group': Object.create(Group.prototype) as unknown,
  'no Uint8Array': Object.create(Uint8Array.prototype) as unknown,
  'no AbortSignal': Object.create(AbortSignal.prototype) as unknown,
  'proxy that throws': new Proxy({}, everyTrap),
  'function proxy that throws': new Proxy(() => 1, everyTrap),
  'array proxy that throws': new Proxy([], everyTrap),
  'revoked proxy': revoked({}),
  'revoked array proxy': revoked([]),
  'getters that throw': explodingOptions,
  'conversions that throw': {
    toString: explode,
    valueOf: explode,
    [Symbol.toPrimitive]: explode,
    toJSON: explode,
  },
  'a tag that throws': Object.defineProperty({}, Symbol.toStringTag, { get: explode }),
  'a stack that throws': Object.defineProperty(new Error('wrong'), 'stack', { get: explode }),
};
