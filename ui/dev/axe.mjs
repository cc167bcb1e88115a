// Accessibility faults of pages as a browser shows them, contrast too: `node dev/axe.mjs URL ROUTE …`.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const [url, ...routes] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-background-networking'],
});
let faults = 0;
for (const colorScheme of ['light', 'dark']) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, colorScheme, bypassCSP: true });
  const page = await context.newPage();
  await page.goto(url);
  await page.waitForTimeout(800);
  for (const route of routes) {
    const [hash, keys] = route.split('|');
    await page.evaluate((to) => (location.hash = to), hash);
    await page.waitForTimeout(1000);
    for (const key of keys ? keys.split(' ') : []) await page.keyboard.press(key);
    await page.waitForTimeout(200);
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => globalThis.axe.run());
    for (const { id, impact, nodes } of violations) {
      faults += 1;
      console.log(`${colorScheme} ${route}: ${impact} ${id} (${nodes.length})`);
      for (const node of nodes.slice(0, 3)) console.log('   ', node.html.slice(0, 160), node.any[0]?.message ?? '');
    }
    if (keys) await page.keyboard.press('Escape');
  }
  await context.close();
}
await browser.close();
console.log(`${faults} faults`);
process.exitCode = faults === 0 ? 0 : 1;
