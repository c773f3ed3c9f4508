// Sign-in, tokens, and the page without a mouse.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { CLOSED_PROXY, OPEN_PROXY, SCREENSHOTS, SIZES, TOKEN, VIEWS, chat, launch, open, shown, violations } from "./browser.mjs";

const UNAUTHORIZED = /status of 401/;
let browser;
before(async () => { browser = await launch(); });
after(() => browser.close());

async function signIn(page, token = TOKEN) {
  await page.goto(`${CLOSED_PROXY}/ui`);
  await page.fill("input[name=token]", token);
  await page.keyboard.press("Enter");
}

test("a browser signs in with an administrator's token, which stays in the tab", async () => {
  for (const [size, viewport] of Object.entries(SIZES)) {
    const page = await open(browser, { viewport, colorScheme: size === "phone" ? "dark" : "light" });
    await page.goto(`${CLOSED_PROXY}/ui#/pools`);
    await page.waitForSelector("h1:text-is('Sign in')");
    assert.equal(await page.evaluate(() => document.activeElement.name), "token");
    await page.screenshot({ path: `${SCREENSHOTS}/sign-in-${size}.png` });
    assert.deepEqual(await violations(page), [], "sign-in");
    await page.fill("input[name=token]", "test-wrong");
    await page.click("button:text-is('Sign in')");
    await page.waitForSelector("[role=alert] >> text=does not accept this token");
    await page.fill("input[name=token]", TOKEN);
    await page.keyboard.press("Enter");
    await shown(page, "pools");
    assert.ok(!page.url().includes(TOKEN));
    assert.deepEqual(await page.evaluate(() => [localStorage.length, document.cookie]), [0, ""]);
    await page.reload();
    await shown(page, "pools");
    assert.deepEqual(page.errors.filter((text) => !UNAUTHORIZED.test(text)), []);
    await page.click("button:text-is('Sign out')");
    await page.waitForSelector("h1:text-is('Sign in')");
    assert.equal(await page.evaluate(() => sessionStorage.length), 0);
    await page.context().close();
  }
});

test("a token is created, shown once, used, rotated and revoked", async () => {
  const page = await open(browser, { permissions: ["clipboard-read", "clipboard-write"] });
  await signIn(page);
  await shown(page, "overview");
  await page.click("nav a[href='#/tokens']");
  await shown(page, "tokens");
  await page.click("summary:text-is('Create a token')");
  await page.screenshot({ path: `${SCREENSHOTS}/tokens-form.png`, fullPage: true });
  assert.deepEqual(await violations(page), [], "tokens-form");
  await page.fill("input[name=name]", "shop");
  await page.fill("input[name=pools]", "text-generation, patient");
  await page.fill("input[name=budget_daily]", "5");
  await page.fill("input[name=rpm]", "60");
  await page.fill("input[name=expires]", "30d");
  await page.click("button:text-is('Create token')");
  const text = await page.textContent(".token code");
  await page.screenshot({ path: `${SCREENSHOTS}/tokens-created.png`, fullPage: true });
  assert.deepEqual(await violations(page), [], "tokens-created");
  await page.click("button:text-is('Copy')");
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), text);
  await page.click("button:text-is('Done')");
  assert.equal(await page.locator(".token code").count(), 0);
  assert.equal((await chat(CLOSED_PROXY, "text-generation", { token: text })).choices[0].message.content, "Hello from a model on loopback.");
  assert.ok((await chat(CLOSED_PROXY, "text-embeddings", { token: text })).error);

  await page.click("button[aria-label='Rotate shop']");
  await page.click("dialog button:text-is('Rotate')");
  const renewed = await page.textContent(".token code");
  assert.notEqual(renewed, text);
  assert.ok((await chat(CLOSED_PROXY, "text-generation", { token: text })).error);
  await page.click("button:text-is('Done')");

  await page.click("button[aria-label='Revoke shop']");
  await page.screenshot({ path: `${SCREENSHOTS}/tokens-revoke.png` });
  assert.deepEqual(await violations(page), [], "confirmation");
  await page.keyboard.press("Escape");
  assert.ok(!(await chat(CLOSED_PROXY, "text-generation", { token: renewed })).error);
  await page.click("button[aria-label='Revoke shop']");
  await page.click("dialog button:text-is('Revoke')");
  await page.waitForSelector("td >> text=revoked");
  assert.ok((await chat(CLOSED_PROXY, "text-generation", { token: renewed })).error);
  await page.screenshot({ path: `${SCREENSHOTS}/tokens-revoked.png`, fullPage: true });
  assert.deepEqual(await violations(page), [], "tokens-revoked");
  assert.deepEqual(page.errors.filter((error) => !UNAUTHORIZED.test(error)), []);
  await page.context().close();
});

test("an application's token does not administer", async () => {
  const page = await open(browser);
  await signIn(page);
  await shown(page, "overview");
  const made = await page.evaluate(async (token) => (await (await fetch("admin/tokens", { method: "POST", headers: { "content-type": "application/json", authorization: `Bearer ${token}` }, body: JSON.stringify({ name: "plain" }) })).json()).token, TOKEN);
  await page.click("button:text-is('Sign out')");
  await page.fill("input[name=token]", made);
  await page.keyboard.press("Enter");
  await page.waitForSelector("[role=alert] >> text=not an administrator's");
  await page.context().close();
});

test("every view is reached and used by keyboard alone", async () => {
  const page = await open(browser);
  await page.goto(`${OPEN_PROXY}/ui`);
  await shown(page, "overview");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to content");
  for (const view of VIEWS) {
    await page.evaluate(() => { document.activeElement.blur(); getSelection().removeAllRanges(); });
    await page.focus(".skip");
    for (let step = 0; step < 20; step += 1) {
      await page.keyboard.press("Tab");
      if (await page.evaluate((name) => document.activeElement.hash === `#/${name}`, view)) break;
    }
    const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    assert.equal(outline, "solid", `the focus of ${view} is visible`);
    await page.keyboard.press("Enter");
    await shown(page, view);
    const reachable = await page.evaluate(() => [...document.querySelectorAll("main :is(a, button, input, select, textarea, summary)")].filter((element) => !element.disabled && element.checkVisibility()).length);
    const focused = new Set();
    for (let step = 0; step < reachable + 14; step += 1) {
      await page.keyboard.press("Tab");
      const place = await page.evaluate(() => { const active = document.activeElement; if (!active.closest("main") || active.id === "main") return null; active.dataset.walk ??= String(Math.random()); return active.dataset.walk; });
      if (place) focused.add(place);
    }
    assert.ok(focused.size >= reachable, `${view}: ${focused.size} of ${reachable} controls have been focused`);
  }
  await page.click("nav a[href='#/playground']");
  await shown(page, "playground");
  await page.focus("textarea");
  await page.keyboard.press("Control+Enter");
  await page.waitForSelector("text=Hello from a model on loopback.");
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test("pools are rotated and recovered, and answers are text", async () => {
  const page = await open(browser);
  await page.goto(`${OPEN_PROXY}/ui#/pools`);
  await shown(page, "pools");
  await page.click("button[aria-label='Rotate text-generation']");
  await page.waitForSelector("#toast >> text=goes on with");
  await page.waitForSelector("button[aria-label='Recover all of text-generation']");
  await page.click("button[aria-label='Recover all of text-generation']");
  await page.waitForSelector("#toast >> text=Active again");

  await page.click("nav a[href='#/playground']");
  await shown(page, "playground");
  await page.fill("textarea", "<b>markup</b>");
  await page.uncheck("input[name=stream]");
  await page.click("button:text-is('Send')");
  await page.waitForSelector("text=<img src=x onerror=alert(1)> is text");
  assert.equal(await page.locator("main img").count(), 0);

  await page.selectOption("select", "patient");
  await page.fill("textarea", "slowly");
  await page.check("input[name=stream]");
  await page.click("button:text-is('Send')");
  await page.click("button:text-is('Stop')");
  await page.waitForSelector("text=Stopped.");
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test("a proxy that cannot be reached is reported", async () => {
  const page = await open(browser, { viewport: SIZES.phone });
  await page.goto(`${OPEN_PROXY}/ui#/limits`);
  await shown(page, "limits");
  await page.route("**/admin/limits", (route) => route.abort());
  await page.waitForSelector("text=The proxy cannot be reached");
  await page.screenshot({ path: `${SCREENSHOTS}/unreachable-phone.png` });
  await page.unroute("**/admin/limits");
  await page.waitForSelector("text=Quotas and budgets");
  await page.context().close();
});
