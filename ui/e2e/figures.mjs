// How fast the page is: `npm run figures`. Prints a table; what the figures should be is in the benchmark's README.
import { clickLatencies, median } from './harness/clock.mjs';
import { eventually, shows } from './harness/expect.mjs';
import { environmentRoute } from './harness/routes.mjs';
import { Stage } from './harness/stage.mjs';
import { flooding, nasty } from './harness/workspace.mjs';

/** @typedef {import('playwright-core').Page} Page */

const ROUNDS = 20;
const RATE = 10_000;

const stage = new Stage();
try {
  await stage.open();
  const workspace = await stage.trusted({
    dev: [{ name: 'one', command: nasty('forever') }],
    busy: [{ name: 'flood', command: flooding(RATE) }],
  });
  await stage.visit(environmentRoute(workspace, 'dev'), async (page) => events(page, workspace.folder));
  await stage.forge.run('-C', workspace.folder, 'start', 'busy');
  await stage.visit(environmentRoute(workspace, 'busy', 'logs'), flood);
} finally {
  await stage.close();
}

/** @param {string} what @param {number[]} figures */
function print(what, figures) {
  const [low, high] = [Math.min(...figures), Math.max(...figures)];
  console.log(`${what.padEnd(64)} median ${median(figures).toFixed(0).padStart(4)} ms   ${low.toFixed(0)} to ${high.toFixed(0)}`);
}

/** From the supervisor's own stamp of an event, and from the command, to the word in the table. @param {Page} page @param {string} folder */
async function events(page, folder) {
  const status = page.getByTestId('process-one-status');
  await shows(status, 'stopped');
  /** @type {{ stamp: number[], command: number[] }} */
  const took = { stamp: [], command: [] };
  for (let round = 0; round < ROUNDS; round += 1) {
    const [words, wanted, title] = round % 2 === 0 ? [['start', 'dev', '-d'], 'ready', 'started'] : [['stop', 'dev'], 'stopped', 'stopped'];
    const seen = await awaitWord(status, String(wanted));
    const asked = Date.now();
    const [shown] = await Promise.all([seen(), stage.forge.run('-C', folder, .../** @type {string[]} */ (words))]);
    const { events } = JSON.parse(await stage.forge.run('-C', folder, '--json', 'status', 'dev'));
    const event = events.filter((/** @type {{ title: string }} */ one) => one.title === title).at(-1);
    took.stamp.push(shown - Date.parse(event.time));
    took.command.push(shown - asked);
  }
  print(`an event's stamp to the page, ${ROUNDS} starts and stops`, took.stamp);
  print('the command that causes it to the page (its own start included)', took.command);
}

/**
 * Looks out for a word before what brings it is begun. Returns how to learn when it came.
 * @param {import('playwright-core').Locator} mark
 * @param {string} word
 */
async function awaitWord(mark, word) {
  const moment = await mark.evaluateHandle(
    (element, wanted) => ({
      shown: new Promise((/** @type {(time: number) => void} */ done) => {
        const observer = new MutationObserver(() => {
          if (element.textContent !== wanted) return;
          observer.disconnect();
          done(Date.now());
        });
        observer.observe(element, { childList: true, characterData: true, subtree: true });
      }),
    }),
    word,
  );
  return () => moment.evaluate(({ shown }) => shown);
}

/** @param {Page} page */
async function flood(page) {
  const newest = async () => {
    const texts = await page.getByTestId('log-line').allTextContents();
    return Math.max(0, ...texts.map((text) => Number(/request (\d+)/.exec(text)?.[1] ?? 0)));
  };
  const first = await eventually(newest, (number) => number > 0, 'lines are shown');
  await eventually(newest, (number) => number > first + 2 * RATE, 'it is under way');
  const rows = page.getByTestId('log-line').last().locator('.time');
  /** @type {number[]} */
  const ages = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const time = await rows.getAttribute('title');
    ages.push(Date.now() - Date.parse(time ?? ''));
  }
  print(`the age of the newest line at ${RATE.toLocaleString('en')} lines/s`, ages);
  print(`a click to the next frame at ${RATE.toLocaleString('en')} lines/s`, await clickLatencies(page, page.getByRole('button', { name: /Wrap/ }), ROUNDS));
}
