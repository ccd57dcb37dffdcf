import path from 'node:path';
import { cached } from '../../lab/cache.js';
import { mustRun } from '../../lab/command.js';
import { cacheDirectory } from '../../lab/paths.js';
import type { Progress } from '../../lab/progress.js';

/** The releases that stand for the supported majors; each is fetched once. */
const releases = ['20.20.2', '22.23.3', '24.21.0', '26.10.0'];

/** A Node to run tests on. */
export interface NodeRelease {
  version: string;
  /** Gets it, if need be, and returns its program. */
  program(progress: Progress): Promise<string>;
}

export const majorOf = (version: string): string => version.split('.')[0] ?? '';

/** The supported Nodes. The one that runs this stands for its major, and is tested also if that is none of them. */
export function supportedNodes(): NodeRelease[] {
  const own = process.versions.node;
  const others = releases.filter(version => majorOf(version) !== majorOf(own));
  return [own, ...others]
    .sort((a, b) => Number(majorOf(a)) - Number(majorOf(b)))
    .map(version => ({
      version,
      program:
        version === own ? () => Promise.resolve(process.execPath) : progress => fetchNode(version, progress),
    }));
}

/** The npm registry has the binaries, one package for each platform. */
function fetchNode(version: string, progress: Progress): Promise<string> {
  const home = path.join(cacheDirectory(), 'node', `${version}-${process.arch}`);
  const directory = cached(home, progress, temporary =>
    progress(`fetching Node ${version}`, async () => {
      const name = `node-${process.platform}-${process.arch}`;
      await mustRun(['npm', 'pack', '--silent', '--fetch-retries=1', `${name}@${version}`], {
        cwd: temporary,
      });
      const archive = path.join(temporary, `${name}-${version}.tgz`);
      await mustRun(['tar', '-xzf', archive, '-C', temporary, '--strip-components=1', 'package/bin/node']);
      await mustRun(['rm', archive]);
    }),
  );
  return directory.then(found => path.join(found, 'bin', 'node'));
}
