// Six unmodified npm clients at the proxy. What they return is what they return at the vendor itself.

import assert from "node:assert/strict";
import { test } from "node:test";
import Anthropic, { NotFoundError as AnthropicNotFound, RateLimitError as AnthropicRateLimit } from "@anthropic-ai/sdk";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { ApiError, GoogleGenAI } from "@google/genai";
import { ChatOpenAI, OpenAIEmbeddings } from "@langchain/openai";
import { tool as langchainTool } from "@langchain/core/tools";
import { APICallError, embedMany, generateText, Output, stepCountIs, streamText, tool } from "ai";
import OpenAI, { APIError, BadRequestError, NotFoundError, RateLimitError } from "openai";
import { zodResponseFormat } from "openai/helpers/zod";
import { z } from "zod";

const { PROXY, VENDOR } = process.env;
const HELLO = "Hello from the vendor.";
const SUNNY = "It is sunny in Paris.";
const ADA = { name: "Ada", age: 36 };
const Person = z.object({ name: z.string(), age: z.number() });
const hello = [{ role: "user", content: "Hello!" }];
const weather = [{ role: "user", content: "weather in Paris?" }];
const city = { type: "object", properties: { city: { type: "string" } } };
const collect = async (stream) => {
  const items = [];
  for await (const item of stream) items.push(item);
  return items;
};
const plain = (value) => JSON.parse(JSON.stringify(value));

// -- openai ------------------------------------------------------------------------------------------------------------------

const openai = new OpenAI({ baseURL: `${PROXY}/v1`, apiKey: "unused", maxRetries: 0 });
const openaiDirect = new OpenAI({ baseURL: `${VENDOR}/v1`, apiKey: "sk-test", maxRetries: 0 });
const tools = [{ type: "function", function: { name: "get_weather", parameters: city } }];

for (const [name, request] of Object.entries({ text: { messages: hello }, tools: { messages: weather, tools } })) {
  test(`openai: ${name} is that of the vendor`, async () => {
    const reply = await openai.chat.completions.create({ model: "gpt-4o", ...request });
    assert.deepEqual(plain(reply), plain(await openaiDirect.chat.completions.create({ model: "model-o", ...request })));
    const more = { ...request, stream: true, stream_options: { include_usage: true } };
    const chunks = await collect(await openai.chat.completions.create({ model: "gpt-4o", ...more }));
    assert.deepEqual(plain(chunks), plain(await collect(await openaiDirect.chat.completions.create({ model: "model-o", ...more }))));
  });
}

test("openai: structured output, embeddings, responses, models", async () => {
  const parsed = await openai.chat.completions.parse({ model: "chat", messages: hello, response_format: zodResponseFormat(Person, "p") });
  assert.deepEqual(parsed.choices[0].message.parsed, ADA);
  const vectors = await openai.embeddings.create({ model: "text-embeddings", input: ["a", "b"] });
  assert.deepEqual(vectors.data.map((row) => row.embedding), [[0.5, -0.25, 0], [0.5, -0.25, 1]]);
  assert.equal((await openai.responses.create({ model: "claude", input: "Hello!" })).output_text, HELLO);
  const stream = openai.responses.stream({ model: "chat", input: "Hello!" });
  assert.equal((await stream.finalResponse()).output_text, HELLO);
  assert.ok((await collect(openai.models.list())).some((row) => row.id === "gpt-4o" && row.owned_by === "modelmesh"));
});

test("openai: errors", async () => {
  const failing = (status) => openai.chat.completions.create({ model: "failing", messages: [{ role: "user", content: `fail ${status}` }] });
  await assert.rejects(failing(400), BadRequestError);
  await assert.rejects(failing(429), RateLimitError);
  await assert.rejects(openai.chat.completions.create({ model: "nothing", messages: hello }), NotFoundError);
  const dying = await openai.chat.completions.create({ model: "chat", messages: [{ role: "user", content: "die" }], stream: true });
  await assert.rejects(collect(dying), APIError);
});

// -- ai ----------------------------------------------------------------------------------------------------------------------

const providers = {
  "@ai-sdk/openai-compatible": createOpenAICompatible({
    name: "modelmesh", baseURL: `${PROXY}/v1`, apiKey: "unused", includeUsage: true, supportsStructuredOutputs: true,
  }),
  "@ai-sdk/openai": createOpenAI({ baseURL: `${PROXY}/v1`, apiKey: "unused" }),
};

for (const [name, provider] of Object.entries(providers)) {
  test(`ai with ${name}`, async () => {
    const model = provider("chat");
    const whole = await generateText({ model, prompt: "Hello!" });
    assert.equal(whole.text, HELLO);
    assert.equal(whole.usage.inputTokens, 11);
    const streamed = streamText({ model, prompt: "Hello!" });
    assert.equal((await collect(streamed.textStream)).join(""), HELLO);
    assert.equal((await streamed.usage).outputTokens, 7);
    const called = { get_weather: tool({ inputSchema: z.object({ city: z.string() }), execute: async () => "sunny" }) };
    assert.equal((await generateText({ model, prompt: "weather in Paris?", tools: called, stopWhen: stepCountIs(3) })).text, SUNNY);
    const steps = streamText({ model, prompt: "weather in Paris?", tools: called, stopWhen: stepCountIs(3) });
    assert.equal((await collect(steps.textStream)).join(""), SUNNY);
    const { output } = await generateText({ model, prompt: "Who?", output: Output.object({ schema: Person }) });
    assert.deepEqual(output, ADA);
    const embedder = (provider.embeddingModel ?? provider.textEmbeddingModel)("text-embeddings");
    assert.deepEqual((await embedMany({ model: embedder, values: ["a"] })).embeddings, [[0.5, -0.25, 0]]);
    await assert.rejects(generateText({ model: provider("nothing"), prompt: "Hello!", maxRetries: 0 }), (error) => {
      assert.ok(APICallError.isInstance(error));
      assert.equal(error.statusCode, 404);
      return true;
    });
  });
}

// -- @anthropic-ai/sdk -------------------------------------------------------------------------------------------------------

const anthropic = new Anthropic({ baseURL: PROXY, apiKey: "unused", maxRetries: 0 });
const anthropicDirect = new Anthropic({ baseURL: VENDOR, apiKey: "sk-test", maxRetries: 0 });
const anthropicTools = [{ name: "get_weather", input_schema: city }];

for (const [name, request] of Object.entries({ text: { messages: hello }, tools: { messages: weather, tools: anthropicTools } })) {
  test(`@anthropic-ai/sdk: ${name} is that of the vendor`, async () => {
    const given = { max_tokens: 100, ...request };
    assert.deepEqual(
      plain(await anthropic.messages.create({ model: "claude", ...given })),
      plain(await anthropicDirect.messages.create({ model: "model-a", ...given })),
    );
    const events = await collect(await anthropic.messages.create({ model: "claude", stream: true, ...given }));
    assert.deepEqual(plain(events), plain(await collect(await anthropicDirect.messages.create({ model: "model-a", stream: true, ...given }))));
  });
}

test("@anthropic-ai/sdk: other vendors, tokens and errors", async () => {
  for (const model of ["chat", "gemini"]) {
    const message = await anthropic.messages.stream({ model, max_tokens: 100, messages: weather, tools: anthropicTools }).finalMessage();
    const call = message.content.find((block) => block.type === "tool_use");
    assert.deepEqual([message.stop_reason, call.name, call.input], ["tool_use", "get_weather", { city: "Paris" }]);
    const result = { role: "user", content: [{ type: "tool_result", tool_use_id: call.id, content: "sunny" }] };
    const messages = [...weather, { role: "assistant", content: message.content }, result];
    const answer = await anthropic.messages.create({ model, max_tokens: 100, messages, tools: anthropicTools });
    assert.equal(answer.content[0].text, SUNNY);
  }
  assert.ok((await anthropic.messages.countTokens({ model: "chat", messages: hello })).input_tokens > 0);
  await assert.rejects(anthropic.messages.create({ model: "nothing", max_tokens: 5, messages: hello }), AnthropicNotFound);
  const failing = { model: "failing-claude", max_tokens: 5, messages: [{ role: "user", content: "fail 429" }] };
  await assert.rejects(anthropic.messages.create(failing), AnthropicRateLimit);
});

// -- @google/genai -----------------------------------------------------------------------------------------------------------

const google = new GoogleGenAI({ apiKey: "unused", httpOptions: { baseUrl: PROXY } });
const googleDirect = new GoogleGenAI({ apiKey: "test", httpOptions: { baseUrl: VENDOR } });
const googleConfig = { tools: [{ functionDeclarations: [{ name: "get_weather", parametersJsonSchema: city }] }] };
const known = ({ candidates, usageMetadata, modelVersion, responseId }) => plain({ candidates, usageMetadata, modelVersion, responseId });

for (const [name, request] of Object.entries({ thoughts: { contents: "think" }, tools: { contents: "weather?", config: googleConfig } })) {
  test(`@google/genai: ${name} is that of the vendor`, async () => {
    assert.deepEqual(
      known(await google.models.generateContent({ model: "gemini", ...request })),
      known(await googleDirect.models.generateContent({ model: "model-g", ...request })),
    );
  });
}

test("@google/genai: other vendors, streams, structured output, embeddings, errors", async () => {
  for (const model of ["chat", "claude", "gemini"]) {
    assert.equal((await google.models.generateContent({ model, contents: "Hello!" })).text, HELLO);
    const events = await collect(await google.models.generateContentStream({ model, contents: "Hello!" }));
    assert.equal(events.map((one) => one.text).join(""), HELLO);
    assert.equal(events.at(-1).candidates[0].finishReason, "STOP");
    const called = await collect(await google.models.generateContentStream({ model, contents: "weather?", config: googleConfig }));
    assert.deepEqual(called.flatMap((one) => one.functionCalls ?? []).map((call) => [call.name, call.args]), [["get_weather", { city: "Paris" }]]);
    await assert.rejects(google.models.generateContentStream({ model, contents: "die" }).then(collect));
  }
  const config = { responseMimeType: "application/json", responseJsonSchema: z.toJSONSchema(Person) };
  assert.deepEqual(JSON.parse((await google.models.generateContent({ model: "chat", contents: "Who?", config })).text), ADA);
  const vectors = await google.models.embedContent({ model: "text-embeddings", contents: ["a", "b"] });
  assert.deepEqual(vectors.embeddings.map((one) => one.values), [[0.5, -0.25, 0], [0.5, -0.25, 1]]);
  assert.ok((await google.models.countTokens({ model: "chat", contents: "Hello!" })).totalTokens > 0);
  assert.ok((await collect(await google.models.list())).some((one) => one.name === "models/gpt-4o"));
  await assert.rejects(google.models.generateContent({ model: "nothing", contents: "Hello!" }), (error) => {
    assert.ok(error instanceof ApiError);
    assert.equal(error.status, 404);
    return true;
  });
});

// -- LangChain ---------------------------------------------------------------------------------------------------------------

test("@langchain/openai", async () => {
  const given = { apiKey: "unused", maxRetries: 0, configuration: { baseURL: `${PROXY}/v1` } };
  const model = new ChatOpenAI({ model: "gpt-4o", ...given });
  assert.equal((await model.invoke("Hello!")).content, HELLO);
  assert.equal((await collect(await model.stream("Hello!"))).map((one) => one.content).join(""), HELLO);
  const getWeather = langchainTool(async () => "sunny", { name: "get_weather", schema: z.object({ city: z.string() }) });
  const called = await model.bindTools([getWeather]).invoke("weather in Paris?");
  assert.deepEqual(called.tool_calls.map((call) => [call.name, call.args]), [["get_weather", { city: "Paris" }]]);
  assert.deepEqual(await model.withStructuredOutput(Person, { method: "jsonSchema" }).invoke("Who?"), ADA);
  const embeddings = new OpenAIEmbeddings({ model: "text-embeddings", ...given });
  assert.deepEqual(await embeddings.embedDocuments(["a"]), [[0.5, -0.25, 0]]);
  await assert.rejects(new ChatOpenAI({ model: "nothing", ...given }).invoke("Hello!"), (error) => error.status === 404);
});
