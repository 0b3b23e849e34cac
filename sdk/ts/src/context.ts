/** What a render states and reads: children, what was observed, status and conditions. */

import type * as z from "zod";

import { type Condition, type JsonObject, type Observed, type Problem, type Selection, apiVersionOf, isObject } from "./contract.js";
import { Excluded, Fault, type Halt, Invalid, Waits, fault, haltOf, waiting } from "./halt.js";
import type { Child, Collection, Declared, External, Externals, Handle, Plan } from "./plan.js";

/** What was said of one id. */
export type Said =
  | { objects: { key: string; manifest: JsonObject }[] }
  | { waits: Waits }
  | { excluded: string }
  | { read: Selection };

/** One render. `Status` is what the API's schema of the status takes. */
export class Context<Status = any> {
  /** @internal */
  readonly said: (Said | undefined)[];
  /** @internal */
  readonly seen = new Map<string, Map<string, JsonObject>>();
  /** @internal */
  readonly conditions: Condition[] = [];
  /** @internal */
  readonly problems: Problem[] = [];
  /** @internal */
  readonly faults: string[] = [];
  /** @internal */
  stated: JsonObject = {};
  /** @internal */
  suspended: string | undefined;

  /** @internal */
  constructor(
    readonly plan: Plan,
    observed: Observed[],
    private readonly namespace: string,
    private readonly statusSchema: z.ZodType | undefined,
  ) {
    this.said = plan.nodes.map(() => undefined);
    for (const { id, key, object } of observed) {
      const objects = this.seen.get(id) ?? new Map<string, JsonObject>();
      objects.set(key, object);
      this.seen.set(id, objects);
    }
  }

  /**
   * States an object. `apiVersion` and `kind` are those that were declared; it needs a
   * name, and without a namespace goes where the instance is. A function makes an object
   * that may have to wait, by itself: where it waits or excludes, this child does, and
   * those that were declared after it.
   */
  child<Data, Live>(child: Child<Data, Live>, object: Data | Live | (() => Data | Live)): void {
    this.state(child.declared, () => [["", made(object)]]);
  }

  /**
   * States all objects of a collection, each with a key that stays the same while it means
   * the same: the name of an element, and not its place.
   */
  collection<Data, Live>(
    collection: Collection<Data, Live>,
    objects: Iterable<readonly [key: string, object: Data | Live]> | (() => Iterable<readonly [key: string, object: Data | Live]>),
  ): void {
    this.state(collection.declared, () => [...made(objects)]);
  }

  /**
   * Says that there should be no object under an id, and which condition says so. One that
   * is there is deleted, and what was declared after it too.
   */
  exclude(handle: Handle, message: string): void {
    this.say(handle.declared, { excluded: message });
  }

  /** What is there of one object: what croft made of a child, or what a read found. */
  observed<Live>(handle: Child<any, Live> | External<Live>): Live | undefined {
    const [object] = this.seen.get(handle.id)?.values() ?? [];
    return object && live<Live>(handle.declared, object);
  }

  /**
   * What is there of several objects. Those of a collection have its keys, those of others
   * `namespace/name`, or `name` for kinds without namespaces.
   */
  observedAll<Live>(handle: Collection<any, Live> | Externals<Live>): Map<string, Live> {
    const objects = [...(this.seen.get(handle.id) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1));
    return new Map(objects.map(([key, object]) => [key, live<Live>(handle.declared, object)]));
  }

  /**
   * A field of an object, or else whoever needs it waits:
   * `cx.wait(card, "metadata.uid", (card) => card.metadata?.uid)`. What waits has to be
   * declared `after` the object. In a function given to `child` that child waits, else all
   * that has not been stated yet. The field's name is for people.
   */
  wait<Live, Field>(on: Child<any, Live> | External<Live>, field: string, take: (object: Live) => Field): NonNullable<Field> {
    const object = this.observed(on);
    const value = object === undefined ? undefined : take(object);
    if (value === undefined || value === null) throw waiting(on, `\`${field}\` of \`${on.id}\` is not there yet`);
    return value;
  }

  /**
   * Reads an object of somebody else, in the instance's namespace if its kind has any and
   * none is given. The first render that asks sees nothing yet; the next one sees what was
   * found.
   */
  read<Live>(external: External<Live>, name: string, namespace = ""): Live | undefined {
    this.say(external.declared, { read: { namespace, name } });
    return this.observed(external);
  }

  /**
   * Finds the objects of somebody else that a label selector matches, in the instance's
   * namespace if their kind has any; an empty one stands for all.
   */
  find<Live>(externals: Externals<Live>, selector: JsonObject, namespace?: string): Map<string, Live> {
    const own = externals.declared.kind.scope === "namespaced" ? this.namespace : "";
    this.say(externals.declared, { read: { namespace: namespace ?? own, selector } });
    return this.observedAll(externals);
  }

  /**
   * The instance's status. A field that is `undefined` or `null` is left out. What is
   * stated before a `wait` holds while it waits.
   */
  status(status: Status): void {
    const read = this.statusSchema?.safeParse(status);
    if (!read) {
      this.faults.push("the API has no status: give it a schema, `status: z.object({ … })`");
    } else if (!read.success) {
      this.faults.push(`the status does not fit its schema: ${read.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; ")}`);
    } else {
      this.stated = withoutNulls(plain(status)) as JsonObject;
    }
  }

  /**
   * A condition of the instance: a PascalCase type, whether it holds (`undefined` if nobody
   * can tell), a PascalCase reason, and a message.
   */
  condition(type: string, holds: boolean | undefined, reason: string, message = ""): void {
    this.conditions.push({ type, holds, reason, message });
  }

  /** Leaves everything as it is, for this reason: nothing is made, changed or deleted. */
  suspend(reason: string): void {
    this.suspended = reason;
  }

  /**
   * Notes that the instance is wrong, and goes on, so that everything that is wrong is said
   * at once. The render fails in the end.
   */
  refuse(halt: Halt): void {
    if (halt instanceof Invalid) this.problems.push(halt.problem);
    else if (halt instanceof Fault) this.faults.push(halt.message);
    else this.faults.push("`refuse` takes what is `invalid`; what waits is thrown");
  }

  private state(node: Declared, objects: () => (readonly [string, unknown])[]): void {
    try {
      this.say(node, { objects: objects().map(([key, object]) => ({ key, manifest: written(node, object) })) });
    } catch (thrown) {
      const halt = haltOf(thrown);
      if (halt instanceof Waits) return this.say(node, { waits: halt });
      if (halt instanceof Excluded) return this.say(node, { excluded: halt.message });
      // Said of it is that it is wrong; the render fails.
      this.say(node, { objects: [] });
      this.refuse(halt);
    }
  }

  private say(node: Declared, said: Said): void {
    if (node.plan !== this.plan) this.faults.push(`\`${node.id}\` is not an id that this render declared`);
    else if (this.said[node.index]) this.faults.push(`\`${node.id}\` is stated twice in one render`);
    else this.said[node.index] = said;
  }
}

function made<T>(value: T | (() => T)): T {
  return typeof value === "function" ? (value as () => T)() : value;
}

/** An object as its class, or as it is. */
export function live<Live>({ model }: Declared, object: JsonObject): Live {
  const Class = model as (new (data: unknown) => unknown) | undefined;
  return (Class ? new Class(object) : object) as Live;
}

/** An object as JSON, of the kind that was declared. */
function written({ id, kind: { gvk } }: Declared, object: unknown): JsonObject {
  const fields = plain(object);
  if (!isObject(fields)) throw fault(`\`${id}\` is not an object`);
  for (const [field, wanted] of Object.entries({ apiVersion: apiVersionOf(gvk), kind: gvk.kind })) {
    if (fields[field] !== undefined && fields[field] !== wanted) {
      throw fault(`the ${field} of \`${id}\` is ${JSON.stringify(fields[field])}, and \`${wanted}\` was declared`);
    }
    fields[field] = wanted;
  }
  const metadata = isObject(fields.metadata) ? fields.metadata : {};
  if (typeof metadata.name !== "string" || metadata.name === "") throw fault(`\`${id}\` has no \`metadata.name\``);
  return fields;
}

/** What JSON has of a value: no `undefined`, no classes. */
function plain(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isObject(value)) return value;
  const fields = Object.entries(value).filter(([, inner]) => inner !== null);
  return Object.fromEntries(fields.map(([name, inner]) => [name, withoutNulls(inner)]));
}

