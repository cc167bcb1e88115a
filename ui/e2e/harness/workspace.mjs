// Projects to supervise, and what runs in them.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { basename, join } from 'node:path';

import { NASTY } from './forge.mjs';

/** A process of a configuration, as contract.md has its keys. @typedef {{ name: string, command: string | string[], [key: string]: unknown }} Process */
/** @typedef {Record<string, Process[] | { processes: Process[], [key: string]: unknown }>} Environments */

/** Folders that are there yet: none of them stays. @type {Set<Workspace>} */
const present = new Set();
process.on('exit', () => present.forEach((workspace) => workspace.remove()));

export class Workspace {
  #above = mkdtempSync('/tmp/w-e2e-');
  folder;

  /** @param {Environments} [environments] Without them it has no configuration yet. @param {string} [name] */
  constructor(environments, name = 'project') {
    this.folder = join(this.#above, name);
    present.add(this);
    mkdirSync(this.folder);
    if (environments) this.configure(environments);
  }

  get name() {
    return basename(this.folder);
  }

  /** @param {string} file */
  path(file) {
    return join(this.folder, file);
  }

  /** JSON is YAML. A process a line, so that a place in it means something. @param {Environments} environments */
  configure(environments) {
    const lines = Object.entries(environments).map(([name, body]) => {
      const processes = Array.isArray(body) ? body : body.processes;
      const rest = Array.isArray(body) ? {} : body;
      const more = Object.entries(rest).filter(([key]) => key !== 'processes');
      const head = more.map(([key, value]) => `  ${key}: ${JSON.stringify(value)}\n`).join('');
      return `${name}:\n${head}  processes:\n${processes.map((each) => `    - ${JSON.stringify(each)}\n`).join('')}`;
    });
    this.write(lines.join('\n'));
  }

  /** @param {string} text */
  write(text) {
    mkdirSync(this.path('.forge'), { recursive: true });
    writeFileSync(this.path('.forge/processes.yml'), text);
  }

  remove() {
    present.delete(this);
    rmSync(this.#above, { recursive: true, force: true });
  }
}

/** The program that misbehaves on demand: `tests/nasty`. @param {(string | number)[]} steps */
export const nasty = (...steps) => [NASTY, ...steps.map(String)];

/** @param {(...words: any[]) => void} program Runs in a Node of its own. @param {(string | number)[]} words */
export const node = (program, ...words) => [
  process.execPath,
  '-e',
  `(${program.toString()})(...process.argv.slice(1))`,
  ...words.map(String),
];

/** Ports that nobody holds now. @param {number} count */
export async function freePorts(count) {
  const servers = await Promise.all(Array.from({ length: count }, () => listen()));
  const ports = servers.map((server) => /** @type {import('node:net').AddressInfo} */ (server.address()).port);
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}

/** @returns {Promise<import('node:net').Server>} */
function listen() {
  return new Promise((done, fail) => {
    const server = createServer();
    server.once('error', fail);
    server.listen(0, '127.0.0.1', () => done(server));
  });
}

/** The same number of lines every second, by the clock, for ever. @param {number} rate */
export const flooding = (rate) =>
  node((perSecond) => {
    const begun = Date.now();
    let written = 0;
    setInterval(() => {
      const due = Math.floor(((Date.now() - begun) * Number(perSecond)) / 1000);
      let text = '';
      for (; written < due; written += 1) text += `INFO request ${written} answered with 200 after 12 ms by worker 4\n`;
      process.stdout.write(text);
    }, 10);
  }, rate);
