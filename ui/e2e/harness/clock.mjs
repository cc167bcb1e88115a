// How long something takes, as one who looks at the page would say.

/** @param {number[]} numbers */
export function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return Number.isInteger(middle) ? ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2 : (sorted[Math.floor(middle)] ?? 0);
}

/**
 * Clicks a toggle again and again. Each figure is the time from the browser's stamp of the press, which waits for
 * nothing that the page does, to the frame after the one in which the toggle says that it was pressed.
 * @param {import('playwright-core').Page} page
 * @param {import('playwright-core').Locator} toggle has `aria-pressed`
 * @param {number} times
 */
export async function clickLatencies(page, toggle, times) {
  const box = await toggle.boundingBox();
  if (!box) throw new Error('there is nothing to click');
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  /** @type {number[]} */
  const latencies = [];
  for (let round = 0; round < times; round += 1) {
    const answered = toggle.evaluate(
      (button) =>
        new Promise((/** @type {(milliseconds: number) => void} */ done) => {
          let pressed = 0;
          button.addEventListener('click', (event) => (pressed = event.timeStamp), { once: true, capture: true });
          const observer = new MutationObserver(() => {
            observer.disconnect();
            requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - pressed)));
          });
          observer.observe(button, { attributes: true, attributeFilter: ['aria-pressed'] });
          Object.assign(window, { armed: true });
        }),
    );
    await page.waitForFunction(() => 'armed' in window);
    await page.mouse.click(x, y);
    latencies.push(await answered);
    await page.evaluate(() => Reflect.deleteProperty(window, 'armed'));
  }
  return latencies;
}
