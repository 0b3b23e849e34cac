/**
 * What a render comes to: everything that was declared is accounted for, what depends on
 * something that is not ready is blocked, and what strays from the declaration is refused.
 */

import { internal } from "./api.js";
import { type Context, type Said, live } from "./context.js";
import { Failure, type JsonObject, type Rendering } from "./contract.js";
import { Excluded, type Halt, Waits, invalid } from "./halt.js";
import { type Declared, before, isAfter } from "./plan.js";
import { LONGEST_KEY, bytes, isReason, isWord } from "./shape.js";

/** The rendering, after the render ended so. */
export function outcome(cx: Context, ended: Halt | undefined): Rendering {
  account(cx, ended);
  check(cx);
  if (cx.faults.length > 0) throw internal(cx.faults);
  if (cx.problems.length > 0) throw new Failure(cx.problems);
  const { done, cycle } = cx.plan.order();
  if (cycle) throw internal([`a cycle of ${cycle.join(", ")}`]);
  const verdicts = new Verdicts(cx);
  done.forEach((node) => verdicts.add(node));
  return verdicts.rendering;
}

/** Gives what has not been stated the reason for which the render ended. */
function account(cx: Context, halt: Halt | undefined): void {
  for (const node of cx.plan.nodes.filter((node) => !cx.said[node.index])) {
    if (!halt) cx.faults.push(`the render says nothing of \`${node.id}\`: state it, or exclude it and say why`);
    else if (halt instanceof Waits) cx.said[node.index] = { waits: halt };
    else if (halt instanceof Excluded) cx.said[node.index] = { excluded: halt.message };
  }
  if (halt && !(halt instanceof Waits) && !(halt instanceof Excluded)) cx.refuse(halt);
}

/** Finds what is not as it was declared, and what the contract does not take. */
function check(cx: Context): void {
  for (const node of cx.plan.nodes) {
    const said = cx.said[node.index];
    if (!said) continue;
    if ("waits" in said && !isAfter(node, said.waits.on)) cx.faults.push(undeclared(node.id, said.waits.on.id));
    if ("objects" in said && node.role === "collection") checkKeys(cx, node, said.objects);
    if ("read" in said && "name" in said.read && said.read.name === "") cx.faults.push(`\`${node.id}\` is read without a name`);
  }
  const seen = new Set<string>();
  for (const { type, reason } of cx.conditions) {
    if (!isWord(type)) cx.faults.push(`\`${type}\` is not the type of a condition: it is a PascalCase word`);
    if (!isReason(reason)) cx.faults.push(`the reason of the condition \`${type}\` is not one short line`);
    if (seen.has(type)) cx.faults.push(`the condition \`${type}\` is stated twice in one render`);
    seen.add(type);
  }
}

function undeclared(id: string, on: string): string {
  if (id === on) return `\`${id}\` waits for itself`;
  return `\`${id}\` waits for \`${on}\`, and was not declared so: declare it \`.after(${on})\`, or state it before the wait`;
}

/** Keys come from the instance, most of the time, and so does one that is there twice. */
function checkKeys(cx: Context, { id }: Declared, objects: { key: string }[]): void {
  const seen = new Set<string>();
  for (const { key } of objects) {
    let message;
    if (key === "") message = `an object of \`${id}\` has an empty key`;
    else if (bytes(key) > LONGEST_KEY) message = `a key of \`${id}\` is longer than ${LONGEST_KEY} bytes`;
    else if (seen.has(key)) message = `two objects of \`${id}\` have the key \`${key}\``;
    seen.add(key);
    if (message) cx.refuse(invalid("spec", message).code("InvalidKey").hint("give each element a name of its own"));
  }
}

/** What becomes of each id, in topological order: those before one are settled. */
class Verdicts {
  readonly rendering: Rendering;
  private readonly ready = new Set<Declared>();
  private readonly excluded = new Set<Declared>();

  constructor(private readonly cx: Context) {
    const { stated: status, conditions, suspended } = cx;
    const lists = { children: [], blocked: [], excluded: [], reads: [], readiness: [] };
    this.rendering = { defaults: {}, ...lists, status, conditions, ...(suspended === undefined ? {} : { suspended }) };
  }

  add(node: Declared): void {
    // What depends on something that should not be, should not be either.
    const gone = node.after.find((before) => this.excluded.has(before));
    const said: Said = gone ? { excluded: `\`${gone.id}\` is excluded` } : (this.cx.said[node.index] ?? { objects: [] });
    const { id } = node;
    if ("excluded" in said) {
      this.excluded.add(node);
      this.rendering.excluded.push({ id, message: said.excluded });
    } else if ("waits" in said) {
      this.rendering.blocked.push({ id, waitsFor: [said.waits.on.id], message: said.waits.message });
    } else if ("read" in said) {
      this.found(node);
      this.rendering.reads.push({ id, kind: node.kind.gvk, select: said.read });
    } else {
      this.settle(node, said.objects);
    }
  }

  private settle(node: Declared, objects: { key: string; manifest: JsonObject }[]): void {
    const unready = node.after.filter((before) => !this.ready.has(before)).map((before) => before.id);
    const waitsFor = [...new Set(unready)].sort();
    if (waitsFor.length > 0) {
      const message = `waits for \`${waitsFor.join("`, `")}\` to be ready`;
      this.rendering.blocked.push({ id: node.id, waitsFor, message });
      return;
    }
    let all = true;
    for (const { key, manifest } of objects) {
      const object = this.cx.seen.get(node.id)?.get(key);
      const message = object ? unreadiness(node, object) : `\`${node.id}\` does not exist yet`;
      all = this.say(node, key, message) && all;
      this.rendering.children.push({ id: node.id, key, manifest, dependsOn: before(node) });
    }
    if (all) this.ready.add(node);
  }

  /** Whether what is somebody else's is as it is waited for. */
  private found(node: Declared): void {
    const objects = [...(this.cx.seen.get(node.id) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1));
    let all = true;
    for (const [key, object] of objects) all = this.say(node, key, unreadiness(node, object)) && all;
    if (objects.length === 0 && node.role === "external") all = this.say(node, "", `\`${node.id}\` is not found`);
    if (all) this.ready.add(node);
  }

  private say({ id }: Declared, key: string, message: string): boolean {
    this.rendering.readiness.push({ id, key, ready: message === "", message });
    return message === "";
  }
}

/** What an object that is there still waits for, or nothing. */
function unreadiness(node: Declared, object: JsonObject): string {
  if (!node.ready) return "";
  try {
    return node.ready.test(live<never>(node, object)) ? "" : `waits until ${node.ready.what}`;
  } catch (thrown) {
    return `it is not what the module takes it for: ${String(thrown)}`;
  }
}
