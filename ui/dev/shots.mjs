// Pictures of the page: `node dev/shots.mjs URL FOLDER [NAME=ROUTE …]`, in light and dark, at two widths.
import { mkdirSync } from 'node:fs';
import { chromium } from 'playwright-core';

const [url, folder, ...rest] = process.argv.slice(2);
const options = Object.fromEntries(
  rest.filter((each) => each.startsWith('--')).map((each) => each.slice(2).split('=')),
);
const pages = rest.filter((each) => !each.startsWith('--')).map((each) => each.split(/=(.*)/s));
const widths = (options.widths ?? '1280').split(',').map(Number);
const schemes = (options.schemes ?? 'light,dark').split(',');
mkdirSync(folder, { recursive: true });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-background-networking'],
});
for (const scheme of schemes) {
  for (const width of widths) {
    const context = await browser.newContext({
      viewport: { width, height: Number(options.height ?? 800) },
      colorScheme: scheme,
    });
    const page = await context.newPage();
    page.on('console', (message) => message.type() === 'error' && console.error('console:', message.text()));
    page.on('pageerror', (error) => console.error('page:', error.message));
    await page.goto(url);
    await page.waitForTimeout(Number(options.settle ?? 800));
    for (const [name, route] of pages) {
      const [hash, keys] = route.split('|');
      await page.evaluate((to) => (location.hash = to), hash);
      await page.waitForTimeout(Number(options.wait ?? 1200));
      for (const key of keys ? keys.split(' ') : []) await page.keyboard.press(key);
      if (keys) await page.waitForTimeout(300);
      await page.screenshot({ path: `${folder}/${name}-${scheme}-${width}.png` });
      if (keys) await page.keyboard.press('Escape');
    }
    await context.close();
  }
}
await browser.close();
