// Pages of other origins: the fetch of the examples, plain and streamed, and what another page must not do.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { CLOSED_PROXY, OPEN_PROXY, TOKEN, launch, open, shown } from "./browser.mjs";

let browser, server, origin;
before(async () => {
  browser = await launch();
  server = createServer((request, response) => { response.setHeader("content-type", "text/html"); response.end("<!doctype html><title>Another origin</title><link rel=icon href=data:,>"); });
  await new Promise((resolve) => { server.listen(0, "127.0.0.1", resolve); });
  origin = `http://localhost:${server.address().port}`;
});
after(async () => {
  await browser.close();
  server.close();
});

async function elsewhere() {
  const page = await open(browser);
  await page.goto(origin);
  return page;
}

for (const [name, proxy, headers] of [["without tokens", OPEN_PROXY, {}], ["with a token", CLOSED_PROXY, { Authorization: `Bearer ${TOKEN}` }]]) {
  test(`a plain fetch of another origin is answered ${name}`, async () => {
    const page = await elsewhere();
    const text = await page.evaluate(async ({ base, extra }) => {
      const response = await fetch(`${base}/v1/chat/completions`, {
        method: "POST",
        headers: { "Content-Type": "application/json", ...extra },
        body: JSON.stringify({ model: "text-generation", messages: [{ role: "user", content: "Hello!" }], stream: false }),
      });
      const data = await response.json();
      return [data.choices[0].message.content, response.headers.get("x-modelmesh-provider")];
    }, { base: proxy, extra: headers });
    assert.deepEqual(text, ["Hello from a model on loopback.", "south"]);
    assert.deepEqual(page.errors, []);
    await page.context().close();
  });

  test(`a streamed fetch of another origin is answered ${name}`, async () => {
    const page = await elsewhere();
    const pieces = await page.evaluate(async ({ base, extra }) => {
      const found = [];
      const response = await fetch(`${base}/v1/chat/completions`, {
        method: "POST",
        headers: { "Content-Type": "application/json", ...extra },
        body: JSON.stringify({ model: "text-generation", messages: [{ role: "user", content: "Hello!" }], stream: true }),
      });
      const reader = response.body.getReader();
      const decoder = new TextDecoder();
      let rest = "";
      while (true) {
        const { done, value } = await reader.read();
        if (done) break;
        const lines = (rest + decoder.decode(value, { stream: true })).split("\n");
        rest = lines.pop();
        for (const line of lines) {
          if (line.startsWith("data: ") && line !== "data: [DONE]") {
            const content = JSON.parse(line.slice(6)).choices?.[0]?.delta?.content;
            if (content) found.push(content);
          }
        }
      }
      return found;
    }, { base: proxy, extra: headers });
    assert.equal(pieces.join(""), "Hello from a model on loopback.");
    assert.ok(pieces.length > 1);
    assert.deepEqual(page.errors, []);
    await page.context().close();
  });
}

test("another page can neither read nor change the administration", async () => {
  const page = await elsewhere();
  const outcomes = await page.evaluate(async (base) => {
    const tried = async (path, options) => { try { return await (await fetch(`${base}${path}`, options)).text(); } catch (error) { return error.name; } };
    const form = { method: "POST", mode: "no-cors", headers: { "content-type": "text/plain" }, body: "{}" };
    return [await tried("/admin/config"), await tried("/admin/attempts"), await tried("/admin/pools/patient/rotate", { method: "POST", headers: { "content-type": "application/json" }, body: "{}" }), await tried("/admin/pools/patient/rotate", form)];
  }, OPEN_PROXY);
  assert.deepEqual(outcomes, ["TypeError", "TypeError", "TypeError", ""]);
  const { pools } = await (await fetch(`${OPEN_PROXY}/admin/pools`)).json();
  assert.equal(pools.find((pool) => pool.name === "patient").candidates[0].status, "active");
  await page.context().close();
});

test("another page may link to the page", async () => {
  const page = await elsewhere();
  await page.evaluate((base) => { const link = document.createElement("a"); link.href = `${base}/ui`; link.textContent = "proxy"; document.body.append(link); }, OPEN_PROXY);
  await page.click("text=proxy");
  await shown(page, "overview");
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test("another page cannot frame the page", async () => {
  const page = await elsewhere();
  await page.evaluate((base) => new Promise((resolve) => { const frame = document.createElement("iframe"); frame.onload = resolve; frame.src = `${base}/ui`; document.body.append(frame); }), OPEN_PROXY);
  const [, frame] = page.frames();
  assert.equal(await frame.locator("text=ModelMesh").count(), 0);
  await page.context().close();
});
