/** The arguments of a program, of which there must be exactly as many as it has names for. */
export function programArguments<const Names extends readonly string[]>(
  ...names: Names
): { [K in keyof Names]: string } {
  const given = process.argv.slice(2);
  if (given.length !== names.length) {
    console.error(`usage: ${process.argv[1] ?? ''} ${names.join(' ')}`);
    process.exit(2);
  }
  return given as { [K in keyof Names]: string };
}
