// `forge serve --http` as the tests have it: in a home of its own, ended by its PID with all that it started.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const uiFolder = fileURLToPath(new URL('../..', import.meta.url));
export const FORGE = resolve(uiFolder, process.env.FORGE_BIN ?? '../target/debug/forge');
export const NASTY = resolve(uiFolder, process.env.NASTY_BIN ?? join(dirname(FORGE), 'nasty'));

/** Milliseconds within which a supervisor must come up, or end. */
const PATIENCE = 20_000;

/** What was started and did not end yet: whatever happens to a test, none of it stays. @type {Set<Forge>} */
const alive = new Set();
process.on('exit', () => alive.forEach((forge) => forge.endNow()));
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) process.on(signal, () => process.exit(1));

/** @typedef {{ code: number | null, stdout: string, stderr: string }} Run */

export class Forge {
  /** Short: a socket's path has little room. */
  home = mkdtempSync('/tmp/h-e2e-');
  /** The page's address, without a fragment. */
  origin = '';
  token = '';
  /** @type {import('node:child_process').ChildProcess | null} */
  #server = null;

  static async start() {
    for (const program of [FORGE, NASTY]) {
      if (!existsSync(program)) throw new Error(`${program} is missing: cargo build -p forge-cli -p forge-keeper -p nasty`);
    }
    const forge = new Forge();
    alive.add(forge);
    await forge.serve();
    return forge;
  }

  /** Serves, on `port` or a free one, and reads the URL that it prints. @param {number} port */
  async serve(port = 0) {
    const server = spawn(FORGE, ['serve', '--http', `127.0.0.1:${port}`], {
      env: this.variables(),
      stdio: ['ignore', 'pipe', 'pipe'],
      // Ctrl-C is for the tests alone: they need it to end what they started.
      detached: true,
    });
    this.#server = server;
    let errors = '';
    server.stderr.on('data', (chunk) => (errors += chunk));
    const [line] = await Promise.race([
      once(createInterface({ input: server.stdout }), 'line'),
      once(server, 'exit').then(() => Promise.reject(new Error(`forge serve ended: ${errors}`))),
      timeout(PATIENCE, () => `forge serve printed no URL: ${errors}`),
    ]);
    const url = new URL(String(line));
    this.origin = url.origin;
    this.token = url.hash.replace('#token=', '');
  }

  get port() {
    return Number(new URL(this.origin).port);
  }

  variables() {
    return { ...process.env, FORGE_HOME: this.home, NO_COLOR: '1' };
  }

  /** The command line, with the same supervisor. @param {string[]} words @returns {Promise<Run>} */
  async cli(...words) {
    const child = spawn(FORGE, words, { env: this.variables(), stdio: ['ignore', 'pipe', 'pipe'] });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk) => (stdout += chunk));
    child.stderr.on('data', (chunk) => (stderr += chunk));
    const [code] = await once(child, 'close');
    return { code, stdout, stderr };
  }

  /** As `cli`, and it must succeed. @param {string[]} words */
  async run(...words) {
    const { code, stdout, stderr } = await this.cli(...words);
    if (code !== 0) throw new Error(`forge ${words.join(' ')} ended with ${code}: ${stderr}`);
    return stdout;
  }

  get #serving() {
    return this.#server !== null && this.#server.exitCode === null && this.#server.signalCode === null;
  }

  /** As a crash of it would. */
  async kill() {
    if (this.#serving) await this.#signal('SIGKILL');
  }

  /** Ends everything that runs here, and the folder. */
  async end() {
    // Without one of ours, the command would leave one behind that is nobody's.
    if (!this.#serving) await this.serve();
    await this.cli('stop', '--all');
    await this.#signal('SIGTERM');
    this.endNow();
  }

  /** @param {NodeJS.Signals} signal */
  async #signal(signal) {
    const server = /** @type {import('node:child_process').ChildProcess} */ (this.#server);
    const ended = once(server, 'exit');
    server.kill(signal);
    await Promise.race([ended, timeout(PATIENCE, () => 'forge serve does not end')]);
  }

  /** What is left when the program ends, without waiting. */
  endNow() {
    if (!alive.delete(this)) return;
    if (this.#serving) {
      spawnSync(FORGE, ['stop', '--all'], { env: this.variables(), timeout: PATIENCE });
      this.#server?.kill('SIGTERM');
    }
    rmSync(this.home, { recursive: true, force: true });
  }
}

/** @param {number} milliseconds @param {() => string} what @returns {Promise<never>} */
function timeout(milliseconds, what) {
  return new Promise((_, reject) => setTimeout(() => reject(new Error(what())), milliseconds).unref());
}
