import assert from 'node:assert/strict';
import * as validate from '../../lib/validate.js';

describe('validate.show', () => {
  it('shows values on one short line', () => {
    assert.equal(validate.show('text'), "'text'");
    assert.equal(validate.show(1.5), '1.5');
    assert.equal(validate.show(-0), '-0');
    assert.equal(validate.show(31n), '0x1f (bigint)');
    assert.equal(validate.show(-31n), '-0x1f (bigint)');
    assert.equal(
      validate.show(() => 1),
      'a function',
    );
    assert.equal(validate.show(Symbol('s')), 'Symbol(s)');
    assert.equal(validate.show(null), 'null');
    for (const long of ['x'.repeat(10_000), Array(1000).fill(0), Object.fromEntries(Array(99).entries())]) {
      assert(validate.show(long).length <= 80);
    }
  });

  it('runs nothing of the value', () => {
    const explode = (): never => {
      throw new Error('this ran');
    };
    const traps = new Proxy({}, { get: () => explode });
    const values = [
      new Proxy({}, traps),
      new Proxy(explode, traps),
      new Proxy([], traps),
      Object.defineProperty({}, Symbol.toStringTag, { get: explode }),
      Object.defineProperty({}, 'constructor', { get: explode }),
      Object.defineProperty(new Error('e'), 'stack', { get: explode }),
      Object.defineProperty(new Error('e'), 'name', { get: explode }),
      Object.defineProperty({}, 'x', { get: explode, enumerable: true }),
      { toString: explode, valueOf: explode, [Symbol.toPrimitive]: explode, toJSON: explode },
      Proxy.revocable({}, {}).proxy,
    ];
    for (const value of values) assert.equal(typeof validate.show(value), 'string');
  });
});

describe('validate', () => {
  it('integer', () => {
    assert.equal(validate.integer(5, 'n', 0, 5), 5);
    for (const value of [-1, 6, 1.5, NaN, Infinity, 2 ** 53]) {
      assert.throws(() => validate.integer(value, 'n', 0, 5), {
        name: 'RangeError',
        code: 'ERR_OUT_OF_RANGE',
        message: `n must be an integer from 0 to 5; got ${value}`,
      });
    }
    for (const value of ['5', 5n, null, undefined, {}, new Number(5)]) {
      assert.throws(() => validate.integer(value, 'n', 0, 5), {
        name: 'TypeError',
        code: 'ERR_INVALID_ARG_TYPE',
      });
    }
  });

  it('address64', () => {
    assert.equal(validate.address64(0xffff_ffff_ffff_ffffn, 'a'), 0xffff_ffff_ffff_ffffn);
    assert.equal(validate.address64(4096, 'a'), 4096n);
    for (const value of [-1n, 1n << 64n, -1])
      assert.throws(() => validate.address64(value, 'a'), { code: 'ERR_OUT_OF_RANGE' });
    for (const value of [1.5, 2 ** 53, NaN, '1', undefined])
      assert.throws(() => validate.address64(value, 'a'), {
        code: 'ERR_INVALID_ARG_TYPE',
        message: /^a must be/,
      });
  });

  it('powerOfTwo', () => {
    assert.equal(validate.powerOfTwo(4096, 'n', 1, 2 ** 40), 4096);
    assert.equal(validate.powerOfTwo(1, 'n', 1, 2 ** 40), 1);
    for (const value of [3, 4097, 2 ** 40 + 1, 0]) {
      assert.throws(() => validate.powerOfTwo(value, 'n', 1, 2 ** 40), {
        code: 'ERR_OUT_OF_RANGE',
        message: /^n must/,
      });
    }
  });

  it('bytes', () => {
    const buffer = Buffer.from('x');
    assert.equal(validate.bytes(buffer, 'b'), buffer);
    class Own extends Uint8Array {}
    assert(validate.bytes(new Own(1), 'b') instanceof Own);
    const imitation: unknown = Object.create(Uint8Array.prototype);
    const values = [
      [1],
      new Uint16Array(1),
      new ArrayBuffer(1),
      'x',
      imitation,
      new DataView(new ArrayBuffer(1)),
    ];
    for (const value of values)
      assert.throws(() => validate.bytes(value, 'b'), {
        code: 'ERR_INVALID_ARG_TYPE',
        message: /^b must be a Uint8Array/,
      });
  });

  it('boolean and string', () => {
    assert.equal(validate.boolean(false, 'b'), false);
    assert.equal(validate.string('', 's'), '');
    for (const value of [0, 1, null, undefined, 'true', new Boolean(true)])
      assert.throws(() => validate.boolean(value, 'b'), {
        code: 'ERR_INVALID_ARG_TYPE',
        message: /^b must be true or false/,
      });
    for (const value of [0, null, undefined, ['x'], new String('x')])
      assert.throws(() => validate.string(value, 's'), {
        code: 'ERR_INVALID_ARG_TYPE',
        message: /^s must be a string/,
      });
  });

  it('hex', () => {
    assert.equal(validate.hex(255), '0xff');
    assert.equal(validate.hex(1n << 40n), '0x10000000000');
    assert.equal(validate.hex(-16), '-0x10');
  });
});

describe('validate.options', () => {
  const allowed = ['bind', 'counts', 'timeoutMs'] as const;
  type Given = Partial<Record<(typeof allowed)[number], unknown>>;
  const check = (value: unknown): Given => validate.options(value as Given, 'options', allowed);

  it('takes none, and those it knows', () => {
    assert.deepEqual(check(undefined), {});
    const given = { bind: 1, counts: undefined };
    assert.equal(check(given), given);
    assert.deepEqual(check(Object.create(null)), Object.create(null));
  });

  it('refuses what is no object', () => {
    for (const value of [null, 1, 'bind', true, [], [1], () => 1, Symbol('x'), 1n])
      assert.throws(() => check(value), {
        code: 'ERR_INVALID_ARG_TYPE',
        message: /^options must be an object; got /,
      });
  });

  it('refuses what it does not know, and says what was meant', () => {
    const hint = (given: object): string => {
      try {
        check(given);
      } catch (error) {
        assert.equal((error as NodeJS.ErrnoException).code, 'ERR_UNKNOWN_OPTION');
        assert(error instanceof TypeError);
        return error.message;
      }
      assert.fail('nothing was thrown');
    };
    assert.equal(hint({ timeoutms: 1 }), "options has no option 'timeoutms'; did you mean 'timeoutMs'?");
    assert.equal(hint({ count: 1 }), "options has no option 'count'; did you mean 'counts'?");
    assert.match(hint({ bind: true, other: 1 }), /'other'; known options: bind, counts, timeoutMs$/);
    assert.match(hint({ ['x'.repeat(9999)]: 1 }), /^.{1,200}$/);
    assert.match(hint({ __proto__: null, constructor: 1 }), /'constructor'/);
  });
});
