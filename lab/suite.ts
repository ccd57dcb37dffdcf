import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Archive } from './apt.js';
import { mustRun } from './command.js';
import { LabError } from './error.js';
import { cacheDirectory } from './paths.js';

/** Debian's keys, of the releases to come too, from the package debian-archive-keyring that every Debian has. */
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

/**
 * Suites of the Debian archive that the machine's own apt does not read, such as a later release's backports; the last
 * one is preferred. They get sources, lists and a state of their own in the cache, so that nothing of the machine's
 * changes and nothing that is installed or pinned there plays a part. The mirror is the one the machine uses;
 * signatures are checked as always.
 */
export async function openSuites(suites: readonly string[]): Promise<Archive> {
  const name = suites.join('+');
  const home = path.join(cacheDirectory(), 'apt', name);
  for (const directory of ['lists/partial', 'cache/archives/partial']) {
    await mkdir(path.join(home, directory), { recursive: true });
  }
  const sources = path.join(home, 'sources.list');
  const mirror = await machineMirror();
  const lines = suites.map(suite => `deb [signed-by=${keyring}] ${mirror} ${suite} main\n`);
  await writeFile(sources, lines.join(''));
  const settings = {
    'Dir::Etc::sourcelist': sources,
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::Etc::preferences': '/dev/null',
    'Dir::Etc::preferencesparts': '/dev/null',
    'Dir::State::lists': path.join(home, 'lists'),
    'Dir::State::status': '/dev/null',
    'Dir::Cache': path.join(home, 'cache'),
    // Backports are not chosen unless asked for by name.
    'APT::Default-Release': suites.at(-1) ?? '',
    'APT::Sandbox::User': 'root',
  };
  return {
    name,
    options: Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`]),
  };
}

/** Where the machine gets its own release from: the one place that is known to be reachable. */
async function machineMirror(): Promise<string> {
  const codename = await debianCodename();
  // What `update` would fetch, as lines of 'URI' FILE SIZE; this needs no lists and changes nothing.
  const addresses = await mustRun(['apt-get', '--print-uris', 'update']);
  const found = new RegExp(`^'(.+)/dists/${codename}/`, 'm').exec(addresses)?.[1];
  if (found === undefined) throw new LabError(`apt has no source for the suite ${codename} of Debian`);
  return found;
}

/** The machine's release: `bookworm` for Debian 12. */
async function debianCodename(): Promise<string> {
  const codename = await mustRun(['sh', '-c', '. /etc/os-release && printf %s "$VERSION_CODENAME"']);
  if (codename === '') throw new LabError('/etc/os-release names no VERSION_CODENAME; is this Debian?');
  return codename;
}
