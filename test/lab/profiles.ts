/** Which tests run on which machine beside `stock`, on which all of them do: globs below test/lab. */
export const profileTests: Readonly<Record<string, readonly string[]>> = {
  'stock-6.12': ['kernel-6.12/**/*.test.js'],
};
