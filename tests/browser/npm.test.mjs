// The npm packages `openai` and `ai`, unchanged, against the proxy.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, streamText } from "ai";
import OpenAI, { AuthenticationError, NotFoundError } from "openai";
import { CLOSED_PROXY, OPEN_PROXY, TOKEN } from "./browser.mjs";

const TEXT = "Hello from a model on loopback.";
const request = { model: "text-generation", messages: [{ role: "user", content: "Hello!" }] };

for (const [name, proxy, apiKey] of [["any key", OPEN_PROXY, "unused"], ["a token", CLOSED_PROXY, TOKEN]]) {
  test(`openai with ${name}`, async () => {
    const client = new OpenAI({ baseURL: `${proxy}/v1`, apiKey });
    const reply = await client.chat.completions.create(request);
    assert.equal(reply.choices[0].message.content, TEXT);
    let text = "";
    for await (const chunk of await client.chat.completions.create({ ...request, stream: true })) text += chunk.choices[0]?.delta?.content ?? "";
    assert.equal(text, TEXT);
    const ids = [];
    for await (const model of client.models.list()) ids.push(model.id);
    assert.ok(ids.includes("text-generation") && ids.includes("gpt-4o"), ids.join());
    await assert.rejects(client.chat.completions.create({ ...request, model: "no-such-model" }), NotFoundError);
  });

  test(`ai with ${name}`, async () => {
    const provider = createOpenAICompatible({ name: "modelmesh", baseURL: `${proxy}/v1`, apiKey, includeUsage: true });
    const model = provider("text-generation");
    const { text, usage } = await generateText({ model, prompt: "Hello!" });
    assert.equal(text, TEXT);
    assert.equal(usage.inputTokens, 5);
    const streamed = streamText({ model, prompt: "Hello!" });
    const pieces = [];
    for await (const piece of streamed.textStream) pieces.push(piece);
    assert.equal(pieces.join(""), TEXT);
    assert.equal((await streamed.usage).outputTokens, 7);
  });
}

test("openai gets its own error for a wrong token", async () => {
  const client = new OpenAI({ baseURL: `${CLOSED_PROXY}/v1`, apiKey: "test-wrong" });
  await assert.rejects(client.chat.completions.create(request), AuthenticationError);
});
