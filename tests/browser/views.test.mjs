// Every view on a phone and on a desktop, light and dark: no error, no breach of the content policy, nothing that axe finds, and
// nothing wider than the screen.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { OPEN_PROXY, SCHEMES, SCREENSHOTS, SIZES, VIEWS, chat, launch, open, shown, violations } from "./browser.mjs";

let browser;
before(async () => {
  browser = await launch();
  for (const model of ["text-generation", "text-generation", "gpt-4o", "steady-mini"]) await chat(OPEN_PROXY, model);
});
after(() => browser.close());

for (const [size, viewport] of Object.entries(SIZES)) {
  for (const colorScheme of SCHEMES) {
    test(`views at ${size} size in ${colorScheme}`, async () => {
      const page = await open(browser, { viewport, colorScheme, ...(size === "phone" && { isMobile: true, hasTouch: true }) });
      await page.goto(`${OPEN_PROXY}/ui`);
      for (const view of VIEWS) {
        await page.click(`nav a[href="#/${view}"]`);
        await shown(page, view);
        if (view === "live") {
          await page.waitForFunction(() => /Connected/.test(document.querySelector("main").textContent));
          const slow = chat(OPEN_PROXY, "patient");
          await chat(OPEN_PROXY, "text-generation");
          await page.waitForSelector("text=waiting");
          await page.waitForSelector("table[aria-label='Finished requests'] >> text=steady-large");
          await page.screenshot({ path: `${SCREENSHOTS}/${view}-running-${size}-${colorScheme}.png` });
          await slow;
        }
        if (view === "playground") {
          await page.click("button:text-is('Send')");
          await page.waitForSelector("text=Hello from a model on loopback.");
          await page.waitForSelector("main dl >> text=x-modelmesh-model");
          await page.waitForSelector("main dl >> text=$0.0001");
        }
        if (view === "configuration") {
          await page.click("button:text-is('Check now')");
          await page.waitForSelector("text=No problems found.");
        }
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        assert.ok(wide <= 0, `${view} is ${wide} px wider than the screen`);
        await page.screenshot({ path: `${SCREENSHOTS}/${view}-${size}-${colorScheme}.png`, fullPage: true });
        assert.deepEqual(await violations(page), [], view);
      }
      assert.deepEqual(page.errors, []);
      await page.context().close();
    });
  }
}
