// One Chromium for a test file, and pages that record every error.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

export const { OPEN_PROXY, CLOSED_PROXY, TOKEN, SCREENSHOTS } = process.env;
export const SIZES = { phone: { width: 390, height: 844 }, desktop: { width: 1440, height: 900 } };
export const SCHEMES = ["light", "dark"];
export const VIEWS = ["overview", "pools", "live", "limits", "tokens", "playground", "configuration"];

const OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

export function launch() {
  return chromium.launch({ executablePath: process.env.CHROMIUM, args: OPTIONS });
}

// A page whose `errors` has each console error, exception, failed request and breach of the content policy.
export async function open(browser, options = {}) {
  const context = await browser.newContext({ viewport: SIZES.desktop, reducedMotion: "reduce", ...options });
  const page = await context.newPage();
  page.errors = [];
  page.on("console", (message) => { if (["error", "warning"].includes(message.type())) page.errors.push(message.text()); });
  page.on("pageerror", (error) => page.errors.push(String(error)));
  page.on("requestfailed", (request) => { if (request.failure()?.errorText !== "net::ERR_ABORTED") page.errors.push(`${request.url()}: ${request.failure()?.errorText}`); });
  page.on("request", (request) => { if (!/^(http:\/\/(127\.0\.0\.1|localhost):|data:|blob:)/.test(request.url())) page.errors.push(`outside address: ${request.url()}`); });
  await page.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) => console.error(`content policy: ${event.violatedDirective} ${event.blockedURI}`));
  });
  return page;
}

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

// What axe finds, as text. DevTools runs it, because the content policy forbids scripts of others.
export async function violations(page) {
  const session = await page.context().newCDPSession(page);
  const found = "found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => html + ' ' + failureSummary).join(' | ')}`)";
  const { result } = await session.send("Runtime.evaluate", { expression: `(() => { ${axe}; return window.axe.run(document).then((found) => JSON.stringify(${found})); })()`, awaitPromise: true });
  await session.detach();
  return JSON.parse(result.value);
}

export async function chat(proxy, model, options = {}) {
  const response = await fetch(`${proxy}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", ...(options.token && { authorization: `Bearer ${options.token}` }) },
    body: JSON.stringify({ model, messages: [{ role: "user", content: "Hello!" }] }),
  });
  return response.json();
}

export async function shown(page, view) {
  await page.waitForFunction((title) => document.querySelector("main h1")?.textContent.toLowerCase() === title, view);
  await page.waitForFunction(() => !document.querySelector("main").textContent.includes("Loading…"));
}
