// Waiting for what must become true. Nothing sleeps: a condition is asked again until its deadline.
import { setTimeout as wait } from 'node:timers/promises';

/** Milliseconds. The machine may be busy; what is there is seen at once all the same. */
export const DEADLINE = 20_000;
const INTERVAL = 50;

/**
 * @template T
 * @param {() => Promise<T> | T} read
 * @param {(value: T) => boolean} accept
 * @param {string} what
 * @param {number} [deadline]
 * @returns {Promise<T>}
 */
export async function eventually(read, accept, what, deadline = DEADLINE) {
  const end = Date.now() + deadline;
  for (;;) {
    const value = await read();
    if (accept(value)) return value;
    if (Date.now() > end) throw new Error(`${what}; after ${deadline} ms it is ${JSON.stringify(value)?.slice(0, 1500)}`);
    await wait(INTERVAL);
  }
}

/** @typedef {import('playwright-core').Locator} Locator */

/** One of them has that text. @param {Locator} locator @param {string | RegExp} text @param {number} [deadline] */
export function shows(locator, text, deadline) {
  const fits = (/** @type {string} */ seen) => (typeof text === 'string' ? seen.includes(text) : text.test(seen));
  const read = async () => (await locator.allInnerTexts()).map((each) => each.replace(/\s+/g, ' '));
  return eventually(read, (texts) => texts.some(fits), `${locator} shows ${text}`, deadline);
}

/** It is in the document no longer. @param {Locator} locator @param {number} [deadline] */
export function vanishes(locator, deadline) {
  return eventually(() => locator.count(), (count) => count === 0, `${locator} is gone`, deadline);
}

/** @param {Locator} locator */
export function appears(locator) {
  return locator.first().waitFor({ timeout: DEADLINE });
}

/** It scrolls no longer: ten frames long it stands where it was. @param {Locator} locator */
export function stands(locator) {
  return locator.evaluate(
    (element) =>
      new Promise((/** @type {(value: null) => void} */ done) => {
        let [top, frames] = [element.scrollTop, 0];
        const look = () => {
          frames = element.scrollTop === top ? frames + 1 : 0;
          top = element.scrollTop;
          if (frames === 10) done(null);
          else requestAnimationFrame(look);
        };
        requestAnimationFrame(look);
      }),
  );
}
