import { parseArgs } from 'node:util';

export interface UapiArguments {
  help: boolean;
  /** Do not write the document. */
  check: boolean;
  /** Where the headers are; otherwise the lab gets them. */
  headers: string | undefined;
}

export const usage = `usage: npm run uapi -- [OPTIONS]

Makes docs/uapi-coverage.md: for every name of linux/vfio.h and linux/iommufd.h what reaches it and where a test has
proven that, from the results that npm test and npm run test:matrix left. Fails when a name has no row in
lab/uapi/rows, a row no name, or a claim no test that passed.

  --check        do not write the document; fail when it is not as it should be
  --headers DIR  read DIR/vfio.h and DIR/iommufd.h, not those of the newest kernel in Debian's archive
  --help         show this text
`;

/** @throws RangeError for a command line that makes no sense; its message is for the user */
export function parseArguments(words: readonly string[]): UapiArguments {
  try {
    const { values } = parseArgs({
      args: [...words],
      options: { help: { type: 'boolean' }, check: { type: 'boolean' }, headers: { type: 'string' } },
    });
    return { help: values.help ?? false, check: values.check ?? false, headers: values.headers };
  } catch (error) {
    throw new RangeError(`${(error as Error).message}\n\n${usage}`, { cause: error });
  }
}
