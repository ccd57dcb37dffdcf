import { parseArguments, usage } from './arguments.js';
import { LabError } from './error.js';
import { profileTable } from './profile-table.js';
import { profiles } from './profiles.js';
import { progressOn } from './progress.js';
import { bootLab, type CommandOptions } from './run.js';

/** The command line of the lab: see `usage`. */
async function main(): Promise<number> {
  const { action, argv, profile, kernel, verbose } = parseArguments(process.argv.slice(2));
  if (action === 'help') {
    process.stdout.write(usage);
    return 0;
  }
  if (action === 'list') {
    process.stdout.write(profileTable(profiles));
    return 0;
  }
  // npm changes to the package's directory and leaves the caller's in INIT_CWD.
  const cwd = process.env['INIT_CWD'] ?? process.cwd();
  const abort = new AbortController();
  await using lab = await bootLab(
    {
      profile,
      ...(kernel === undefined ? {} : { kernel }),
      progress: progressOn(process.stderr),
      signal: abort.signal,
      ...(verbose ? { console: process.stderr } : {}),
    },
    cwd,
  );
  process.stdout.on('error', () => abort.abort(new LabError('standard output was closed')));
  const command: CommandOptions = {
    argv: action === 'shell' ? [process.env['SHELL'] ?? '/bin/sh'] : argv,
    cwd,
    stdin: process.stdin,
  };
  const { stdin, stdout } = process;
  if (action !== 'shell' || !stdin.isTTY || !stdout.isTTY) return (await lab.run(command)).exitCode;

  const resize = (): void => lab.vm.resize(stdout.rows, stdout.columns);
  stdin.setRawMode(true);
  stdout.on('resize', resize);
  try {
    return (await lab.run({ ...command, tty: { rows: stdout.rows, columns: stdout.columns } })).exitCode;
  } finally {
    stdout.off('resize', resize);
    stdin.setRawMode(false);
  }
}

main().then(
  code => {
    process.exitCode = code;
    process.stdin.destroy();
  },
  (error: unknown) => {
    const expected = error instanceof LabError || error instanceof RangeError;
    process.stderr.write(`lab: ${expected ? error.message : String((error as Error).stack)}\n`);
    process.exitCode = error instanceof RangeError ? 2 : LabError.exitCode;
    process.stdin.destroy();
  },
);
