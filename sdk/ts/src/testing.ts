/**
 * Runs a module as croft would, without WebAssembly and without a server: renders an
 * instance, shows the children back, lets a controller or a user do something, and renders
 * again.
 */

import { Failure, type JsonObject, type Module, type Observed, type Prepared, type Problem, type Rendering, isObject } from "./contract.js";

/** The most renders of {@link Trial.converge}, as many as a host makes for the largest definition. */
const MOST_RENDERS = 1000;

/** A `Composition` with this configuration. */
export function definition(config?: unknown): JsonObject {
  const spec = { module: "file:module.wasm", ...(config === undefined ? {} : { config }) };
  return { apiVersion: "croft.run/v1alpha1", kind: "Composition", metadata: { name: "test" }, spec };
}

/**
 * One instance of a module's API, and the objects that the module is shown. It plays the
 * host, admits everything, and lets children be ready at once.
 */
export class Trial {
  readonly prepared: Prepared;
  /** As it is, with the defaults that were filled in. */
  readonly instance: JsonObject & { metadata: JsonObject; spec: any };
  private children = new Map<string, Observed>();
  private found: Observed[] = [];

  /** A trial of an instance: its `spec`, and its `metadata` if that matters. */
  constructor(
    private readonly module: Module,
    instance: { metadata?: JsonObject; spec?: unknown },
    options: { config?: unknown } = {},
  ) {
    this.prepared = module.prepare(definition(options.config));
    const { metadata, ...rest } = copy(instance);
    const namespaced = this.prepared.blueprint.api.scope === "namespaced";
    const given = { name: "test", ...(namespaced ? { namespace: "default" } : {}), uid: "uid-of-the-instance", ...metadata };
    this.instance = { spec: {}, ...rest, metadata: given };
  }

  /** Lets an external read find an object of somebody else. */
  find(id: string, object: unknown): void {
    const found = copy(object) as JsonObject & { metadata: { namespace?: string; name: string } };
    const node = this.prepared.blueprint.nodes.find((node) => node.id === id);
    const { namespace, name } = found.metadata;
    const key = node?.role === "external-collection" ? [namespace, name].filter(Boolean).join("/") : "";
    this.found.push({ id, key, object: found });
  }

  /** Changes a child that exists, as its controller does: it writes a status. */
  update(id: string, change: (object: any) => void, key = ""): void {
    const child = this.children.get(`${id}/${key}`);
    if (!child) throw new Error(`\`${id}\` \`${key}\` does not exist yet`);
    change(child.object);
  }

  /** Renders once, and shows the children back as a server has them. Throws a `Failure`. */
  render(): Rendered {
    const observed = copy([...this.children.values(), ...this.found]);
    const rendering = this.module.render(this.prepared.program, copy(this.instance), observed);
    fillIn(this.instance.spec, rendering.defaults);
    if (rendering.suspended === undefined) this.showBack(rendering);
    return new Rendered(rendering);
  }

  /** Renders until nothing changes. Throws a `Failure`, or if it never settles. */
  converge(): Rendered {
    let before = "";
    for (let renders = 0; renders < MOST_RENDERS; renders++) {
      const rendered = this.render();
      const now = JSON.stringify([rendered.rendering, this.instance, [...this.children]]);
      if (now === before) return rendered;
      before = now;
    }
    throw new Error(`the rendering still changes after ${MOST_RENDERS} renders: it is not a function of what it is shown`);
  }

  /** What the module says is wrong with the instance. Throws if nothing is. */
  problems(): Problem[] {
    return problems(() => this.render());
  }

  /** Children of blocked ids stay, others that were not rendered go. */
  private showBack(rendering: Rendering): void {
    const blocked = new Set(rendering.blocked.map((blocked) => blocked.id));
    const children = new Map([...this.children].filter(([, child]) => blocked.has(child.id)));
    for (const { id, key, manifest } of rendering.children) {
      const place = `${id}/${key}`;
      children.set(place, { id, key, object: this.live(id, key, manifest, this.children.get(place)?.object) });
    }
    this.children = children;
  }

  /** A child as a server has it: with what a server adds, and with the status that its controller wrote. */
  private live(id: string, key: string, manifest: JsonObject, before: JsonObject | undefined): JsonObject {
    const live = copy(manifest);
    if (before?.status !== undefined) live.status = before.status;
    const { namespace } = this.instance.metadata;
    const server = { uid: `uid-of-${id}${key && `-${key}`}`, resourceVersion: "1", creationTimestamp: "2026-01-01T00:00:00Z" };
    live.metadata = { ...(namespace === undefined ? {} : { namespace }), ...(live.metadata as JsonObject), ...server };
    if (live.apiVersion === "v1" && live.kind === "Secret" && isObject(live.stringData)) {
      // A server keeps the texts of a Secret in `data`.
      const texts = Object.entries(live.stringData).map(([name, text]) => [name, Buffer.from(String(text)).toString("base64")]);
      live.data = { ...(live.data as JsonObject), ...Object.fromEntries(texts) };
      delete live.stringData;
    }
    return live;
  }
}

/** What a render came to. */
export class Rendered {
  constructor(readonly rendering: Rendering) {}

  /** A child. Throws if it was not rendered. */
  child(id: string): any {
    const child = this.children(id).get("");
    if (!child) throw new Error(`\`${id}\` was not rendered: ${this.whyNot(id)}`);
    return child;
  }

  /** The objects of a collection, by key. */
  children(id: string): Map<string, any> {
    return new Map(this.rendering.children.filter((child) => child.id === id).map((child) => [child.key, child.manifest]));
  }

  /** What an id waits for, if it does. */
  blocked(id: string): string | undefined {
    return this.rendering.blocked.find((blocked) => blocked.id === id)?.message;
  }

  /** Why there is no object under an id, if there should be none. */
  excluded(id: string): string | undefined {
    return this.rendering.excluded.find((excluded) => excluded.id === id)?.message;
  }

  get status(): any {
    return this.rendering.status;
  }

  /** Whether nothing waits and all that is there is ready. */
  get isReady(): boolean {
    return this.rendering.blocked.length === 0 && this.rendering.readiness.every((one) => one.ready);
  }

  private whyNot(id: string): string {
    const [blocked, excluded] = [this.blocked(id), this.excluded(id)];
    if (blocked !== undefined) return `blocked, ${blocked}`;
    return excluded === undefined ? "there is no such child" : `excluded, ${excluded}`;
  }
}

/** What a call says is wrong with its input. Throws if nothing is, or if the module itself is wrong. */
export function problems(act: () => unknown): Problem[] {
  return failure(act, (failure) => (failure.internal === undefined ? failure.problems : undefined));
}

/** What the SDK says to the module's author. Throws if the module is not wrong. */
export function internal(act: () => unknown): string {
  return failure(act, (failure) => failure.internal);
}

function failure<T>(act: () => unknown, take: (failure: Failure) => T | undefined): T {
  try {
    act();
  } catch (thrown) {
    const taken = thrown instanceof Failure ? take(thrown) : undefined;
    if (taken !== undefined) return taken;
    throw thrown;
  }
  throw new Error("it is not refused");
}

function fillIn(target: any, defaults: JsonObject): void {
  for (const [name, value] of Object.entries(defaults)) {
    if (!(name in target)) target[name] = copy(value);
    else if (isObject(target[name]) && isObject(value)) fillIn(target[name], value);
  }
}

function copy<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
