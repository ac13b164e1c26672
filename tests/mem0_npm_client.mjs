// Drives mem0's npm client: node mem0_npm_client.mjs URL. Prints "done" at the end.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import path from "node:path";

const require = createRequire(path.join(process.cwd(), "x.js"));
const { MemoryClient } = require("mem0ai");
const client = new MemoryClient({ apiKey: "key", host: process.argv[2] });
const memories = (answer) => answer.results.map((item) => item.memory);
const odd = "a/b c%é🦊";

await client.ping();
const added = await client.add(
  [{ role: "user", content: "I live in Lisbon" }, { role: "assistant", content: "Nice" }],
  { userId: "ana", agentId: odd, metadata: { camelKey: { inner_key: 1 } }, customCategories: [{ my_home: "where I live" }] },
);
assert.equal(added.status, "SUCCEEDED");
assert.equal(added.results[0].data.memory, "I live in Lisbon");
const id = added.results[0].id;
const record = await client.get(id);
assert.equal(record.userId, "ana");
assert.equal(record.agentId, odd);
assert.deepEqual(record.metadata, { camelKey: { inner_key: 1 } });
assert.deepEqual(record.categories, ["my_home"]);
assert.ok(record.createdAt);
for (const filters of [{ user_id: "ana" }, { userId: "ana" }, { AND: [{ user_id: "ana" }, { agent_id: "*" }] }]) {
  assert.deepEqual(memories(await client.search("where do I live?", { filters, topK: 3 })), ["I live in Lisbon"]);
  assert.deepEqual(memories(await client.getAll({ filters, page: 1, pageSize: 10 })), ["I live in Lisbon"]);
}
await assert.rejects(() => client.getAll({ filters: { colour: "red" } }), /colour/);
await assert.rejects(() => client.get("5b2b5ed4-5f3c-4b1a-9f6c-2d1d1b6b8a10"), (error) => error.name === "MemoryNotFoundError");
await assert.rejects(() => client.deleteAll({}), (error) => error.name === "ValidationError");
assert.equal((await client.update(id, { text: "I live in Porto", expirationDate: "2199-01-01" })).expirationDate, "2199-01-01");
assert.equal((await client.update(id, { expirationDate: null })).expirationDate, null);
assert.deepEqual((await client.history(id)).map((row) => row.newMemory), ["I live in Lisbon", "I live in Porto", "I live in Porto"]);
await client.batchUpdate([{ memoryId: id, text: "I live in Rome" }]);
assert.equal((await client.get(id)).memory, "I live in Rome");
assert.equal((await client.feedback({ memory_id: id, feedback: "POSITIVE" })).feedback, "POSITIVE");
const users = await client.users({ page: 1, pageSize: 5 });
assert.deepEqual(users.results.map((item) => item.name).sort(), [odd, "ana"].sort());
assert.equal(users.results[0].totalMemories, 1);
const asked = { filters: { user_id: "ana" }, schema: { type: "object" } };
const exported = await client.createMemoryExport(asked);
assert.deepEqual((await client.getMemoryExport({ memoryExportId: exported.id })).memories.map((item) => item.memory), ["I live in Rome"]);
await client.updateProject({ customInstructions: "be brief" });
assert.equal((await client.getProject({ fields: ["customInstructions"] })).customInstructions, "be brief");
const hook = await client.createWebhook({ name: "hook", url: "http://127.0.0.1:9/", eventTypes: ["memory_add"] });
assert.equal((await client.getWebhooks())[0].webhookId, hook.webhookId);
await client.updateWebhook({ webhookId: hook.webhookId, name: "other" });
await client.deleteWebhook({ webhookId: hook.webhookId });
const schema = { type: "object", properties: { home_town: { type: "string", description: "where I live" } } };
assert.deepEqual((await client.updateProfileSettings({ enabled: true, schema })).entities.user.schema, schema);
assert.equal((await client.getProfileSettings()).enabled, true);
const job = await client.generateProfile({ entityId: "ana" });
assert.equal((await client.getProfileJob(job.statusUrl)).job.status, "succeeded");
assert.equal((await client.getProfile({ entityId: "ana" })).status, "succeeded");
assert.equal((await client.sampleProfiles({ limit: 1 })).sampled, 1);
await client.batchDelete([id]);
await client.add([{ role: "user", content: "I moved to Rome" }], { userId: "ana" });
const [last] = (await client.getAll({ filters: { user_id: "ana" } })).results;
await client.delete(last.id, { deleteLinked: true });
await client.add([{ role: "user", content: "I like tea" }], { userId: odd });
await client.deleteUser({ entity_type: "user", entity_id: odd });
await client.add([{ role: "user", content: "I like tea" }], { userId: odd, runId: "r" });
await client.deleteAll({ runId: "r" });
await client.add([{ role: "user", content: "I like tea" }], { userId: odd });
await client.deleteUsers({ userId: odd });
await client.add([{ role: "user", content: "I like tea" }], { appId: odd });
await client.deleteUsers();
assert.equal((await client.users()).count, 0);
console.log("done");
