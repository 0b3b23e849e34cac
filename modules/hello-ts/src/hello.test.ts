import assert from "node:assert/strict";
import { test } from "node:test";

import { Trial } from "croft-sdk/testing";

import hello from "./hello.js";

const greeting = (spec: object) => new Trial(hello, { spec });

test("the seal waits for the card", () => {
  const first = greeting({ name: "ada" }).render();
  assert.equal(first.blocked("seal"), "`metadata.uid` of `card` is not there yet");
  assert.deepEqual(first.status, {});
  assert.ok(!first.isReady);
});

test("both children are there in the end", () => {
  const end = greeting({ name: "ada" }).converge();
  assert.deepEqual(end.child("card"), {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "ada-card" },
    data: { message: "Hello, ada!", language: "English" },
  });
  assert.equal(end.child("seal").stringData.signature, "sealed on card uid-of-card");
  assert.equal(end.status.message, "Hello, ada!");
  assert.ok(end.isReady);
});

test("the greeting of the instance decides the language", () => {
  for (const [words, language] of [
    ["Merhaba", "Turkish"],
    [" GRÜß GOTT ", "German"],
    ["GRÜSS GOTT", "unknown"],
    ["xyzzy", "unknown"],
  ]) {
    assert.equal(greeting({ name: "ada", greeting: words }).converge().child("card").data.language, language);
  }
});

test("a name that no object can have is refused with its place", () => {
  for (const name of ["Ada", "", "-ada", "a b", "a\n"]) {
    const [problem] = greeting({ name }).problems();
    assert.deepEqual([problem?.code, problem?.at], ["InvalidName", "/spec/name"]);
  }
  const [missing] = greeting({}).problems();
  assert.deepEqual([missing?.code, missing?.at, missing?.message], ["MissingField", "/spec", "`name` is required"]);
  const [wrong] = greeting({ name: 3 }).problems();
  assert.deepEqual([wrong?.at, wrong?.hint], ["/spec/name", "`kubectl explain greetings.spec.name` says what it takes"]);
});
