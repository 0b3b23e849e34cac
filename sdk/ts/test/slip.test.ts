// What the SDK says to the author of a module that is wrong.

import assert from "node:assert/strict";
import { test } from "node:test";

import { type Child, type Context, Plan, api, composition, excluded, fault, namespaced, waiting } from "croft-sdk";
import { Trial, definition, internal, problems } from "croft-sdk/testing";
import * as z from "zod";

const ConfigMap = namespaced("v1", "ConfigMap");
const options = { group: "example.org", version: "v1", kind: "Slip", spec: z.object({}) };
const Slip = api({ ...options, status: z.object({ done: z.boolean().optional() }) });

type Pair = [Child<any, any>, Child<any, any>];
type Declare = (plan: Plan) => Pair;

const two: Declare = (plan) => [plan.child("a", ConfigMap), plan.child("b", ConfigMap)];
const named = (name: string) => ({ metadata: { name } });

function slip(declare: Declare, render: (pair: Pair, cx: Context) => void = () => {}) {
  return composition(Slip, (plan) => {
    const pair = declare(plan);
    return (_slip, cx) => render(pair, cx);
  });
}

test("a declaration that would stray is refused when a definition is prepared", () => {
  const cases: [string, Declare][] = [
    ["the id `a` is declared twice", (plan) => [plan.child("a", ConfigMap), plan.child("a", ConfigMap)]],
    ["`9` is not an id: it begins with a letter", (plan) => (plan.child("9", ConfigMap), two(plan))],
    [
      "these wait for each other: `a` → `b` → `a`",
      (plan) => {
        const [a, b] = two(plan);
        return [a.after(b), b.after(a)];
      },
    ],
    [
      "`a` is declared after `elsewhere`, which is of another plan",
      (plan) => {
        const [a, b] = two(plan);
        return [a.after(new Plan({}).child("elsewhere", ConfigMap)), b];
      },
    ],
    [
      "`slip` is of the API's own kind, Slip.example.org",
      (plan) => (plan.child("slip", namespaced("example.org/v2", "Slip")), two(plan)),
    ],
    ["`v1 no kind` of `odd` is not a kind", (plan) => (plan.child("odd", namespaced("v1", "no kind")), two(plan))],
    [
      "`declare` cannot wait and cannot exclude",
      () => {
        throw excluded("no");
      },
    ],
  ];
  for (const [expected, declare] of cases) {
    const said = internal(() => slip(declare).prepare(definition()));
    assert.ok(said.includes(expected), said);
  }
});

test("a render that strays from the declaration is the module's fault", () => {
  const stop = () => {
    throw excluded("no");
  };
  const cases: [string, (pair: Pair, cx: Context) => void][] = [
    ["the render says nothing of `b`: state it, or exclude it and say why", ([a], cx) => cx.child(a, named("a"))],
    [
      "`b` waits for `a`, and was not declared so: declare it `.after(a)`",
      ([a], cx) => (cx.child(a, named("a")), cx.wait(a, "data", (a: any) => a.data)),
    ],
    [
      "`a` waits for itself",
      ([a, b], cx) => {
        cx.child(b, named("b"));
        cx.child(a, () => {
          throw waiting(a, "itself");
        });
      },
    ],
    ["`a` is stated twice in one render", ([a], cx) => (cx.child(a, named("a")), cx.child(a, named("a")), stop())],
    ["`no word` is not the type of a condition", (_, cx) => (cx.condition("no word", true, ""), stop())],
    [
      "the reason of the condition `Done` is not one short line; the condition `Done` is stated twice",
      (_, cx) => (cx.condition("Done", true, ""), cx.condition("Done", undefined, "two\nlines"), stop()),
    ],
    ["`a` has no `metadata.name`", ([a], cx) => (cx.child(a, {}), stop())],
    [
      'the kind of `a` is "Secret", and `ConfigMap` was declared',
      ([a], cx) => (cx.child(a, { kind: "Secret", ...named("a") }), stop()),
    ],
    ["the status does not fit its schema: done: ", (_, cx) => (cx.status({ done: 3 }), stop())],
    [
      "lost",
      () => {
        throw fault("lost");
      },
    ],
    ["TypeError: ", ([a], cx) => cx.child(a, () => (undefined as any).field)],
  ];
  for (const [expected, render] of cases) {
    const said = internal(() => new Trial(slip(two, render), {}).converge());
    assert.ok(said.includes(expected), said);
  }
});

test("an API that no server would take is refused", () => {
  const cases: [string, object][] = [
    ["the status has a field `croft`", { status: z.object({ croft: z.string() }) }],
    ["a field `state` of type integer, and croft writes one of type string", { status: z.object({ state: z.int32() }) }],
    ["the API's field `spec.either` has no `type`", { spec: z.object({ either: z.union([z.string(), z.boolean()]) }) }],
    ["the API's field `spec` has no schema", { spec: z.object({ when: z.date() }) }],
  ];
  for (const [expected, wrong] of cases) {
    const module = composition(api({ ...options, ...wrong }), () => () => {});
    const said = internal(() => module.prepare(definition()));
    assert.ok(said.includes(expected), said);
  }
});

test("a configuration that nobody reads is refused", () => {
  const [problem] = problems(() => slip(two).prepare(definition({ size: 3 })));
  assert.deepEqual([problem?.at, problem?.message], ["/spec/config", "the module takes no configuration"]);
});

test("a suspended instance is left alone", () => {
  const module = slip(two, (_, cx) => {
    cx.suspend("not today");
    throw excluded("no");
  });
  assert.equal(new Trial(module, {}).converge().rendering.suspended, "not today");
});
