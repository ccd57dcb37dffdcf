import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const root = path.join(__dirname, '..', '..', '..');

/** A directory in which the package is installed as from the registry, save that the addon is ours already built. */
export class Packed implements Disposable {
  readonly directory = mkdtempSync(path.join(tmpdir(), 'vfio-packed-'));
  /** What the package consists of. */
  readonly files: readonly string[];
  readonly #build: string;

  constructor() {
    // npm says where its configuration comes from in variables that would lead another npm astray.
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('npm_')));
    const pack = ['pack', '--ignore-scripts', '--json', '--silent', '--pack-destination', this.directory];
    const said = execFileSync('npm', pack, {
      cwd: root,
      env,
      stdio: ['ignore', 'pipe', 'ignore'],
    }).toString();
    // A list of packages, or since npm 11 an object of them.
    const [packed] = Object.values(
      JSON.parse(said) as Record<string, { filename: string; files: { path: string }[] }>,
    );
    if (packed === undefined) throw new Error(`npm pack said ${said}`);
    this.files = packed.files.map(file => file.path);
    const modules = path.join(this.directory, 'node_modules');
    const installed = path.join(modules, 'vfio');
    mkdirSync(installed, { recursive: true });
    execFileSync('tar', [
      '-xzf',
      path.join(this.directory, packed.filename),
      '-C',
      installed,
      '--strip-components=1',
    ]);
    for (const name of ['bindings', 'file-uri-to-path', 'node-addon-api', '@types', 'undici-types'])
      symlinkSync(path.join(root, 'node_modules', name), path.join(modules, name));
    this.#build = path.join(installed, 'build');
    this.build();
  }

  /** As after a compilation. */
  build(): void {
    symlinkSync(path.join(root, 'build'), this.#build);
  }

  /** As after an installation without scripts. */
  unbuild(): void {
    rmSync(this.#build);
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}
