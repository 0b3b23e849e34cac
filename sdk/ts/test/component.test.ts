// The values of the contract as a component hands them over.

import assert from "node:assert/strict";
import { test } from "node:test";

import { type Module, fault, api, composition, excluded, invalid, log, namespaced } from "croft-sdk";
import { composer } from "croft-sdk/component";
import { definition } from "croft-sdk/testing";
import * as z from "zod";

const ConfigMap = namespaced("v1", "ConfigMap");
const Shop = api({
  group: "example.org",
  version: "v1",
  kind: "Shop",
  spec: z.object({ name: z.string().optional(), size: z.int32().default(3) }),
  status: z.object({ size: z.int32() }),
});

const shops = composition(Shop, (plan) => {
  const { size } = plan.config(z.object({ size: z.int32().default(0) }));
  if (size > 0) plan.warn("spec.config.size", "it is not read yet");
  const banner = plan.external("banner", ConfigMap);
  const themes = plan.externals("themes", ConfigMap);
  const pages = plan.collection("pages", ConfigMap);
  const off = plan.child("off", ConfigMap);
  const late = plan.child("late", ConfigMap).after(pages);
  return ({ spec }, cx) => {
    if (spec.name === "wrong") throw invalid("spec.name", "it is wrong").hint("another");
    if (spec.name === "fault") throw fault("lost");
    log.info(`size ${spec.size}`);
    cx.read(banner, "banner");
    cx.find(themes, { matchLabels: { a: "b" } });
    cx.collection(pages, [["ä", { metadata: { name: "a" } }]]);
    cx.child(off, () => {
      throw excluded("it is off");
    });
    cx.child(late, { metadata: { name: "late" } });
    cx.status({ size: spec.size });
    cx.condition("Open", true, "Asked", "yes");
    cx.condition("Known", undefined, "Unasked");
    cx.suspend("not today");
  };
});

function exported(module: Module = shops) {
  const lines: [string, string][] = [];
  return { ...composer(module, (level, message) => lines.push([level, message])), lines };
}

function prepared(config?: unknown) {
  return exported().prepare(JSON.stringify(definition(config))).val;
}

function rendered(instance: object) {
  const { program } = prepared();
  const seen = { id: "pages", key: "ä", object: '{"metadata":{"name":"a","uid":"1"}}' };
  return exported().render(program, JSON.stringify({ metadata: { name: "s", namespace: "n" }, ...instance }), [seen]);
}

test("a definition is answered in the words of the contract", () => {
  const { blueprint, program, warnings } = prepared({ size: 1 });
  assert.deepEqual(blueprint.api.kind, { group: "example.org", version: "v1", kind: "Shop" });
  assert.deepEqual([blueprint.api.scope, JSON.parse(blueprint.api.crd).kind], ["namespaced", "CustomResourceDefinition"]);
  assert.deepEqual(blueprint.kinds.map((used) => used.access), ["read", "manage"]);
  assert.deepEqual(blueprint.nodes.at(-1), {
    id: "late",
    role: "child",
    kind: { group: "", version: "v1", kind: "ConfigMap" },
    dependsOn: ["pages"],
  });
  assert.ok(program instanceof Uint8Array);
  assert.deepEqual(warnings, [
    { severity: "warning", code: "Invalid", at: "/spec/config/size", span: undefined, message: "it is not read yet", hint: undefined },
  ]);
});

test("an instance is answered in the words of the contract", () => {
  const answer = rendered({ spec: {} });
  assert.deepEqual(
    { ...answer, children: answer.children.map(({ id, key, dependsOn, manifest }) => [id, key, dependsOn, JSON.parse(manifest).metadata.name]) },
    {
      defaults: '{"size":3}',
      children: [
        ["pages", "ä", [], "a"],
        ["late", "", ["pages"], "late"],
      ],
      blocked: [],
      excluded: [{ id: "off", message: "it is off" }],
      reads: [
        { id: "banner", kind: { group: "", version: "v1", kind: "ConfigMap" }, select: { tag: "named", val: ["", "banner"] } },
        {
          id: "themes",
          kind: { group: "", version: "v1", kind: "ConfigMap" },
          select: { tag: "labelled", val: ["n", '{"matchLabels":{"a":"b"}}'] },
        },
      ],
      readiness: [
        { id: "banner", key: "", ready: false, message: "`banner` is not found" },
        { id: "pages", key: "ä", ready: true, message: "" },
        { id: "late", key: "", ready: false, message: "`late` does not exist yet" },
      ],
      status: '{"size":3}',
      conditions: [
        { type: "Open", status: "is-true", reason: "Asked", message: "yes" },
        { type: "Known", status: "unknown", reason: "Unasked", message: "" },
      ],
      suspended: "not today",
    },
  );
});

test("a failure is thrown in the words of the contract", () => {
  const thrown = (instance: object) => {
    try {
      rendered(instance);
    } catch (thrown) {
      return thrown as { tag: string; val: unknown };
    }
    return undefined;
  };
  assert.deepEqual(thrown({ spec: { name: "wrong" } }), {
    tag: "invalid",
    val: [{ severity: "error", code: "Invalid", at: "/spec/name", span: undefined, message: "it is wrong", hint: "another" }],
  });
  assert.deepEqual(thrown({ spec: { name: "fault" } }), { tag: "internal", val: "lost" });
});

test("what is logged reaches the host", () => {
  const { program } = prepared();
  const { render, lines } = exported();
  render(program, '{"metadata":{"name":"s"},"spec":{"size":7}}', []);
  assert.deepEqual(lines, [["info", "size 7"]]);
});
