import assert from "node:assert/strict";
import { test } from "node:test";

import { Trial } from "croft-sdk/testing";

import module from "./main.js";

test("the message is said as often as asked", () => {
  const end = new Trial(module, { metadata: { name: "one" }, spec: { message: "Hello", times: 2 } }).converge();
  assert.equal(end.child("text").data.text, "Hello Hello");
  assert.equal(end.status.text, "Hello Hello");
  assert.ok(end.isReady);
});

test("an empty message is refused", () => {
  const [problem] = new Trial(module, { metadata: { name: "one" }, spec: { message: " " } }).problems();
  assert.deepEqual([problem?.code, problem?.at], ["EmptyMessage", "/spec/message"]);
});
