import assert from "node:assert/strict";
import { test } from "node:test";

import { type Module, api, composition, excluded, invalid, namespaced } from "croft-sdk";
import { Trial, definition, problems } from "croft-sdk/testing";
import * as z from "zod";

// As the classes of `kubernetes-models` are, without that package.
function model(apiVersion: string, kind: string) {
  return class {
    static apiVersion = apiVersion;
    static kind = kind;
    declare metadata?: { name?: string; uid?: string };
    declare data?: Record<string, string>;
    declare status?: { available?: number };

    constructor(data?: { metadata?: { name: string }; data?: Record<string, string> }) {
      Object.assign(this, { apiVersion, kind, ...data });
    }
  };
}

const ConfigMap = model("v1", "ConfigMap");
const Deployment = model("apps/v1", "Deployment");
const Secret = model("v1", "Secret");

const Page = z.object({ slug: z.string(), title: z.string().default("Untitled") });

/** Pages that the owner lists, an app that a controller starts, a banner of somebody else, and a theme. */
const Shop = api({
  group: "example.org",
  version: "v1",
  kind: "Shop",
  spec: z.object({
    pages: z.array(Page).default([]),
    copies: z.int32().default(3),
    style: z.object({ width: z.int32().default(3), color: z.string().optional() }).default({ width: 3 }),
    closed: z.boolean().optional(),
    labels: z.record(z.string(), z.string()).optional(),
  }),
  status: z.object({ pages: z.int32(), color: z.string().nullish() }),
});

const shops = composition(Shop, (plan) => {
  const config = plan.config(z.object({ prefix: z.string().default(""), nested: Page.optional() }));
  if (config.nested) plan.warn("spec.config.nested", "it is not read yet");
  // Declared before what it comes after.
  const route = plan.child("route", namespaced("gateway.networking.k8s.io/v1", "HTTPRoute"));
  const banners = plan.external("banners", ConfigMap).readyWhen("it is on", (banner) => banner.data !== undefined);
  const themes = plan.externals("themes", ConfigMap);
  const pages = plan.collection("pages", ConfigMap);
  const app = plan
    .child("app", Deployment)
    .after(pages, banners)
    .readyWhen("a copy runs", (app) => (app.status?.available ?? 0) > 0);
  const key = plan.child("key", Secret).after(app);
  route.after(key, key);

  return ({ spec }, cx) => {
    cx.read(banners, "banner");
    const [theme] = cx.find(themes, { matchLabels: { kind: "theme" } }).values();
    cx.status({ pages: spec.pages.length, color: theme?.data?.color ?? null });
    cx.condition("Open", !spec.closed, "Asked");
    for (const { slug } of spec.pages.filter(({ slug }) => slug.includes("/"))) {
      cx.refuse(invalid("spec.pages", `\`${slug}\` has a slash`).hint("leave it out"));
    }
    cx.collection(
      pages,
      spec.pages.map(({ slug, title }) => [slug, { metadata: { name: `${config.prefix}${slug}` }, data: { title } }]),
    );
    cx.child(app, () => {
      if (spec.closed) throw excluded("`spec.closed` is true");
      return { metadata: { name: "app" }, data: undefined };
    });
    cx.child(key, { metadata: { name: "key" } });
    const uid = cx.wait(key, "metadata.uid", (key) => key.metadata?.uid);
    cx.child(route, { metadata: { name: "route" }, spec: { key: uid, none: null } });
  };
});

function shop(slugs: string[], more: object = {}, module: Module = shops): Trial {
  return new Trial(module, { metadata: { name: "shop" }, spec: { pages: slugs.map((slug) => ({ slug })), ...more } });
}

const BANNER = { metadata: { name: "banner" }, data: { a: "b" } };

test("the graph follows from what is declared", () => {
  const { api, nodes, kinds } = shop([]).prepared.blueprint;
  const order = nodes.map((node) => `${node.id}<${node.dependsOn.join()}`);
  assert.deepEqual(order, ["pages<", "banners<", "app<pages,banners", "key<app", "route<key", "themes<"]);
  const used = kinds.map(({ kind, access }) => `${kind.kind} ${access}`);
  assert.deepEqual(used, ["ConfigMap manage", "ConfigMap read", "Deployment manage", "Secret manage", "HTTPRoute manage"]);
  assert.deepEqual([api.plural, api.scope, (api.crd.metadata as any).name], ["shops", "namespaced", "shops.example.org"]);
});

test("the CRD is what the schemas say", () => {
  const { versions, names } = shop([]).prepared.blueprint.api.crd.spec as any;
  assert.equal(names.listKind, "ShopList");
  const { spec, status } = versions[0].schema.openAPIV3Schema.properties;
  assert.deepEqual(spec.properties.pages.items, {
    type: "object",
    properties: { slug: { type: "string" }, title: { default: "Untitled", type: "string" } },
    required: ["slug"],
  });
  assert.deepEqual(spec.properties.labels, { type: "object", additionalProperties: { type: "string" } });
  assert.equal(spec.required, undefined);
  assert.deepEqual(status.properties.color, { type: "string", nullable: true });
});

test("everything comes in its order", () => {
  const trial = shop(["a", "b"]);
  const waiting = trial.converge();
  assert.equal(waiting.blocked("app"), "waits for `banners` to be ready");
  assert.equal(waiting.children("pages").get("a").data.title, "Untitled");
  trial.find("banners", BANNER);
  assert.equal(trial.converge().blocked("key"), "waits for `app` to be ready");
  trial.update("app", (app) => (app.status = { available: 1 }));
  const end = trial.converge();
  assert.deepEqual(end.child("route").spec, { key: "uid-of-key", none: null });
  assert.deepEqual(end.child("app"), { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "app" } });
  assert.ok(end.isReady);
  assert.deepEqual(end.status, { pages: 2 });
});

test("what depends on something excluded is excluded too", () => {
  const trial = shop(["a"], { closed: true });
  trial.find("banners", BANNER);
  const end = trial.converge();
  assert.deepEqual(["app", "key", "route"].map((id) => end.excluded(id)), ["`spec.closed` is true", "`app` is excluded", "`key` is excluded"]);
  assert.equal(end.rendering.conditions[0]?.holds, false);
});

test("external reads find by name and by label", () => {
  const trial = shop([]);
  trial.find("themes", { metadata: { name: "blue", namespace: "default" }, data: { color: "blue" } });
  const end = trial.converge();
  assert.equal(end.status.color, "blue");
  const read = end.rendering.reads.find((read) => read.id === "themes");
  assert.deepEqual(read?.select, { namespace: "default", selector: { matchLabels: { kind: "theme" } } });
  assert.deepEqual(end.rendering.readiness.find((one) => one.id === "themes"), { id: "themes", key: "default/blue", ready: true, message: "" });
});

test("defaults are those of the schema", () => {
  const defaults = (spec: object) => new Trial(shops, { spec }).render().rendering.defaults;
  assert.deepEqual(defaults({}), { pages: [], copies: 3, style: { width: 3 } });
  assert.deepEqual(defaults({ copies: 5, style: {} }), { pages: [], copies: 3, style: { width: 3 } });
  assert.deepEqual(defaults({ style: { color: "red" } }), { pages: [], copies: 3, style: { width: 3 } });
});

test("what is wrong with an instance is said at once and with its place", () => {
  const messages = shop(["a/b", "c/d", "e", "e"]).problems().map((problem) => problem.message);
  assert.deepEqual(messages, ["`a/b` has a slash", "`c/d` has a slash", "two objects of `pages` have the key `e`"]);
  const cases: [unknown, string, string][] = [
    [{ copies: "3" }, "InvalidValue", "/spec/copies"],
    [{ copies: 3.5 }, "InvalidValue", "/spec/copies"],
    [{ pages: [{ slug: "a" }, {}] }, "MissingField", "/spec/pages/1"],
    [{ style: { width: true } }, "InvalidValue", "/spec/style/width"],
    [[], "InvalidValue", "/spec"],
    [{ labels: { "a/b": 1 } }, "InvalidValue", "/spec/labels/a~1b"],
  ];
  for (const [spec, code, at] of cases) {
    const [problem] = new Trial(shops, { spec }).problems();
    assert.deepEqual([problem?.code, problem?.at], [code, at], JSON.stringify(problem));
    assert.match(problem?.hint ?? "", /kubectl explain shops/);
  }
  const [wrong] = new Trial(shops, { spec: { copies: "3" } }).problems();
  assert.equal(wrong?.hint, "`kubectl explain shops.spec.copies` says what it takes");
});

test("a configuration is a schema and is refused with its place", () => {
  const trial = new Trial(shops, { spec: { pages: [{ slug: "a" }] } }, { config: { prefix: "my-" } });
  assert.equal(trial.converge().children("pages").get("a").metadata.name, "my-a");
  const cases: [unknown, string, string][] = [
    [{ prefx: "" }, "UnknownField", "/spec/config/prefx"],
    [{ nested: { slug: "a", "a/b": 1 } }, "UnknownField", "/spec/config/nested/a~1b"],
    [{ prefix: 3 }, "InvalidValue", "/spec/config/prefix"],
    [{ nested: {} }, "MissingField", "/spec/config/nested"],
    ["text", "InvalidValue", "/spec/config"],
  ];
  for (const [config, code, at] of cases) {
    const [problem] = problems(() => shops.prepare(definition(config)));
    assert.deepEqual([problem?.code, problem?.at], [code, at], JSON.stringify(problem));
  }
  const [warning] = shops.prepare(definition({ nested: { slug: "a" } })).warnings;
  assert.deepEqual([warning?.severity, warning?.at], ["warning", "/spec/config/nested"]);
});

test("a definition of another kind is refused with a hint", () => {
  const group = { apiVersion: "kro.run/v1alpha1", kind: "ResourceGroup" };
  const cases: [object, string, string][] = [
    [{ apiVersion: "v1", kind: "ConfigMap" }, "/kind", "the module does not read definitions of this kind"],
    [
      { ...group, spec: { schema: { kind: "Shed", apiVersion: "v1" } } },
      "/spec/schema/kind",
      'the module serves the kind `Shop`, the definition has "Shed"',
    ],
    [
      { ...group, kind: "ResourceGraphDefinition", spec: { schema: { kind: "Shop" } } },
      "/spec/schema/apiVersion",
      "the module serves the apiVersion `v1`, the definition has null",
    ],
  ];
  for (const [definition, at, message] of cases) {
    const [problem] = problems(() => shops.prepare(definition as never));
    assert.deepEqual([problem?.at, problem?.message], [at, message]);
    assert.ok(problem?.hint);
  }
});
