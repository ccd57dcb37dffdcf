import assert from 'node:assert/strict';
import { type HeaderEntry, parseHeader } from '../../../lab/uapi/header.js';

/** `kind name = value @ line`, for comparing at a glance. */
function told({ kind, name, value, line }: HeaderEntry): string {
  return `${kind} ${name}${value === undefined ? '' : ` = ${value}`} @ ${line}`;
}
const read = (text: string): string[] => parseHeader(text).map(told);

describe('uapi: reading a header', () => {
  it('finds definitions of every kind, in their order and with their values', () => {
    const text = `/* A comment with #define NOT_THIS 1 */
#ifndef _UAPI_GAUGE_H
#define _UAPI_GAUGE_H

#include <linux/types.h>

#define GAUGE_TYPE (';')
#define GAUGE_BASE 100	/* where they start */
struct gauge_info {
	__u32	flags;
#define GAUGE_FLAG_A	(1 << 0)	/* with a comment
					   of two lines */
#define   GAUGE_FLAG_B  (1 << 1) // and one of another style
};
#define GAUGE_GET_INFO	_IO(GAUGE_TYPE, GAUGE_BASE + 1)
#define GAUGE_MASK	(GAUGE_FLAG_A | \\
			 GAUGE_FLAG_B)
#define GAUGE_VALID(x) \\
	((x) & GAUGE_MASK)
#define GAUGE_NAME "gauge /* not a comment */"
#endif /* _UAPI_GAUGE_H */
`;
    assert.deepEqual(read(text), [
      'guard _UAPI_GAUGE_H @ 3',
      'constant GAUGE_TYPE = 59 @ 7',
      'constant GAUGE_BASE = 100 @ 8',
      'constant GAUGE_FLAG_A = 1 @ 11',
      'constant GAUGE_FLAG_B = 2 @ 13',
      'ioctl GAUGE_GET_INFO = 15205 @ 15',
      'constant GAUGE_MASK = 3 @ 16',
      'macro GAUGE_VALID @ 18',
      'text GAUGE_NAME @ 20',
    ]);
  });

  it('counts enumerators on as a compiler does, named or not, and wherever they stand', () => {
    const text = `enum {
	A,
	B = 0x10, /* jumps, */
	C,
	D = B | 1,
	COUNT /* no comma at the end */
};
enum gauge_kind { KIND_A = 1 << 2,
	KIND_B, };
struct gauge {
	enum gauge_kind kind;
	enum { INNER = C } inner;
};
#define AFTER COUNT
`;
    assert.deepEqual(read(text), [
      'enumerator A = 0 @ 2',
      'enumerator B = 16 @ 3',
      'enumerator C = 17 @ 4',
      'enumerator D = 17 @ 5',
      'enumerator COUNT = 18 @ 6',
      'enumerator KIND_A = 4 @ 8',
      'enumerator KIND_B = 5 @ 9',
      'enumerator INNER = 17 @ 12',
      'constant AFTER = 18 @ 14',
    ]);
  });

  it('takes along what stands behind a condition', () => {
    const text = '#ifdef __KERNEL__\n#define A 1\n#else\n#define B 2\n#endif\n';
    assert.deepEqual(read(text), ['constant A = 1 @ 2', 'constant B = 2 @ 4']);
  });

  it('knows an ioctl whose number depends on the size of a struct, though not the number', () => {
    assert.deepEqual(read('#define SET _IOWR(1, 2, struct gauge)\n'), ['ioctl SET @ 1']);
  });

  it('takes an empty definition for a guard only where it is one', () => {
    assert.deepEqual(read('#define A 1\n#ifndef B\n#define B\n#endif\n'), [
      'constant A = 1 @ 1',
      'text B @ 3',
    ]);
  });

  for (const [what, text, message] of [
    ['a directive', '\n#undef A\n', /^line 2: the directive #undef/],
    ['a value', 'enum { A,\n B = UNKNOWN };\n', /^line 2: the value of B is not understood: UNKNOWN$/],
    ['an enumerator', 'enum { A B };\n', /^line 1: no enumerator: A B$/],
    ['an end', '\n\nenum { A\n', /^line 3: an enumeration that does not end$/],
    ['a name', '#define\n', /^line 1: a #define without a name$/],
  ] as const) {
    it(`refuses ${what} that it does not understand`, () => {
      assert.throws(() => parseHeader(text), { name: 'SyntaxError', message });
    });
  }
});
