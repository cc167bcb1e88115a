// What every file of tests stands on: a supervisor, a browser, and pages that must be without fault.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { chromium } from 'playwright-core';

import { DEADLINE } from './expect.mjs';
import { Forge } from './forge.mjs';
import { Workspace } from './workspace.mjs';

/** @typedef {import('playwright-core').Page} Page */
/** @typedef {{ context?: import('playwright-core').BrowserContextOptions, tolerate?: RegExp, token?: string | null | undefined, scripts?: string[], rewrite?: (message: string) => string }} Visit */

export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-background-networking'],
  });
}

export class Stage {
  /** @type {Forge} */ forge = /** @type {any} */ (null);
  /** @type {import('playwright-core').Browser} */ browser = /** @type {any} */ (null);
  /** @type {Workspace[]} */ #workspaces = [];

  async open() {
    [this.forge, this.browser] = await Promise.all([Forge.start(), launch()]);
  }

  async close() {
    await this.browser?.close();
    await this.forge?.end();
    this.#workspaces.forEach((workspace) => workspace.remove());
  }

  /** @param {import('./workspace.mjs').Environments} [environments] @param {string} [name] */
  workspace(environments, name) {
    const workspace = new Workspace(environments, name);
    this.#workspaces.push(workspace);
    return workspace;
  }

  /**
   * One that the page knows and whose commands may run.
   * @param {import('./workspace.mjs').Environments} environments
   * @param {string} [name]
   */
  async trusted(environments, name) {
    const workspace = this.workspace(environments, name);
    await this.forge.run('workspaces', 'add', workspace.folder);
    await this.forge.run('workspaces', 'trust', workspace.folder);
    return workspace;
  }

  /** The page's address with this one's token. @param {string} route */
  url(route, token = /** @type {string | null} */ (this.forge.token)) {
    return `${this.forge.origin}/#${token === null ? route : `token=${token}&${route}`}`;
  }

  /**
   * Opens a page of its own and looks at it. Afterwards nothing may have gone wrong in it that the visit does not
   * tolerate: an error on the console, an exception, a refusal by the security policy, a dialogue.
   * @param {string} route
   * @param {(page: Page) => Promise<void>} look
   * @param {Visit} [options]
   */
  async visit(route, look, { context = {}, tolerate, token, scripts = [], rewrite } = {}) {
    const own = await this.browser.newContext({ viewport: { width: 1280, height: 800 }, ...context });
    for (const content of scripts) await own.addInitScript({ content });
    const page = await own.newPage();
    // What the supervisor says, as it would be at another time.
    if (rewrite)
      await page.routeWebSocket(/\/ws$/, (socket) => {
        socket.connectToServer().onMessage((message) => socket.send(rewrite(String(message))));
      });
    page.setDefaultTimeout(DEADLINE);
    const faults = faultsOf(page);
    try {
      await page.goto(this.url(route, token));
      await look(page);
    } catch (thrown) {
      await picture(page, thrown);
      throw thrown;
    } finally {
      await own.close();
    }
    const intolerable = faults.filter((fault) => !tolerate?.test(fault));
    assert.deepEqual(intolerable, [], 'nothing goes wrong in the page');
  }
}

/** A stage for all tests of a file. @param {(stage: Stage) => Promise<void>} [set] */
export function useStage(set) {
  const stage = new Stage();
  before(async () => {
    await stage.open();
    await set?.(stage);
  });
  after(() => stage.close());
  return stage;
}

/** What must not happen, as it comes. @param {Page} page */
function faultsOf(page) {
  /** @type {string[]} */
  const faults = [];
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => faults.push(`exception: ${error.message}`));
  page.on('dialog', (dialog) => {
    faults.push(`dialogue: ${dialog.message()}`);
    void dialog.dismiss();
  });
  return faults;
}

/** How the page looked when a test failed. @param {Page} page @param {unknown} thrown */
async function picture(page, thrown) {
  if (!(thrown instanceof Error)) return;
  const folder = join(tmpdir(), 'forge-e2e');
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${process.pid}-${Date.now()}.png`);
  const taken = await page.screenshot({ path, timeout: 5000 }).catch(() => null);
  if (taken) thrown.message += `\n  as it looked: ${path}`;
}
