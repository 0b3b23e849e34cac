/**
 * What a module declares: its ids with kind, role and order, and what it takes for its
 * configuration. All that is wrong with it is said at once, when a definition is
 * prepared.
 */

import type * as z from "zod";

import { type Blueprint, type Gvk, type JsonObject, type Node, type Problem, type Role, nameOf, apiVersionOf } from "./contract.js";
import { invalid } from "./halt.js";
import { Kind, type Model, kindOf } from "./kind.js";
import { readConfig } from "./read.js";
import { isId, isKind } from "./shape.js";

/** One id as it was declared. */
export interface Declared {
  plan: Plan;
  index: number;
  id: string;
  role: Role;
  kind: Kind;
  model?: Model<never, unknown>;
  after: Declared[];
  ready?: { what: string; test: (object: never) => boolean };
}

/** What stands for an id. Only a {@link Plan} makes one. */
export interface Handle {
  readonly declared: Declared;
}

abstract class Typed<Live> implements Handle {
  /** Only for the compiler: tells handles of different types apart. */
  declare protected readonly live: Live;

  constructor(readonly declared: Declared) {}

  get id(): string {
    return this.declared.id;
  }

  /**
   * Says that others have to be ready before this one can be stated. This one is deleted
   * first.
   */
  after(...others: Handle[]): this {
    this.declared.after.push(...others.map((other) => other.declared));
    return this;
  }

  /**
   * Says when an object that is there does what it is for. Without, it is enough that it
   * is there. `what` completes “waits until …”.
   */
  readyWhen(what: string, test: (object: Live) => boolean): this {
    this.declared.ready = { what, test };
    return this;
  }
}

/** An object that an instance is made of. */
export class Child<Data, Live> extends Typed<Live> {
  declare protected readonly data: Data;
  readonly role = "child";
}

/** Any number of objects of a kind, told apart by a key. */
export class Collection<Data, Live> extends Typed<Live> {
  declare protected readonly data: Data;
  readonly role = "collection";
}

/** An object of somebody else, found by its name. */
export class External<Live> extends Typed<Live> {
  readonly role = "external";
}

/** Objects of somebody else, found by their labels. */
export class Externals<Live> extends Typed<Live> {
  readonly role = "external-collection";
}

/** Takes what a module declares. */
export class Plan {
  /** @internal */
  readonly nodes: Declared[] = [];
  /** @internal */
  readonly warnings: Problem[] = [];
  private configIsRead = false;

  /** @internal */
  constructor(private readonly given: unknown) {}

  /** An object that instances are made of, of a class of `kubernetes-models` or of a {@link Kind}. */
  child<Data, Live>(id: string, model: Model<Data, Live>): Child<Data, Live>;
  child(id: string, kind: Kind): Child<JsonObject, any>;
  child(id: string, model: Kind | Model<never, unknown>): Child<any, any> {
    return new Child(this.declare(id, "child", model));
  }

  /** Any number of objects of a kind. */
  collection<Data, Live>(id: string, model: Model<Data, Live>): Collection<Data, Live>;
  collection(id: string, kind: Kind): Collection<JsonObject, any>;
  collection(id: string, model: Kind | Model<never, unknown>): Collection<any, any> {
    return new Collection(this.declare(id, "collection", model));
  }

  /** An object of somebody else, which is read by its name. */
  external<Live>(id: string, model: Model<any, Live>): External<Live>;
  external(id: string, kind: Kind): External<any>;
  external(id: string, model: Kind | Model<never, unknown>): External<any> {
    return new External(this.declare(id, "external", model));
  }

  /** Objects of somebody else, which are found by their labels. */
  externals<Live>(id: string, model: Model<any, Live>): Externals<Live>;
  externals(id: string, kind: Kind): Externals<any>;
  externals(id: string, model: Kind | Model<never, unknown>): Externals<any> {
    return new Externals(this.declare(id, "external-collection", model));
  }

  private declare(id: string, role: Role, model: Kind | Model<never, unknown>): Declared {
    const declared: Declared = { plan: this, index: this.nodes.length, id, role, kind: kindOf(model), after: [] };
    if (!(model instanceof Kind)) declared.model = model;
    this.nodes.push(declared);
    return declared;
  }

  /**
   * The definition's `spec.config`, read by a schema. A field that the schema does not
   * have is refused. A definition without `config` is read as one with an empty object;
   * one with a `config` that is never asked for is refused.
   */
  config<Schema extends z.ZodType>(schema: Schema): z.output<Schema> {
    this.configIsRead = true;
    return readConfig(schema, this.given ?? {});
  }

  /** Says something to the definition's author that does not stop it, about a field such as `spec.config.size`. */
  warn(field: string, message: string): void {
    this.warnings.push({ ...invalid(field, message).problem, severity: "warning" });
  }

  /**
   * A configuration that nobody reads is a mistake.
   * @internal
   */
  checkConfig(): void {
    const isEmpty = this.given === undefined || this.given === null || JSON.stringify(this.given) === "{}";
    if (isEmpty || this.configIsRead) return;
    throw invalid("spec.config", "the module takes no configuration").code("UnknownField").hint("remove `config`");
  }

  /**
   * The graph in topological order; what is wrong with it is added to `faults`.
   * @internal
   */
  blueprint(api: Gvk, faults: string[]): Node[] {
    const seen = new Set<string>();
    for (const node of this.nodes) {
      faults.push(...wrong(node, api));
      if (seen.has(node.id)) faults.push(`the id \`${node.id}\` is declared twice`);
      seen.add(node.id);
    }
    const { done, cycle } = this.order();
    if (cycle) faults.push(`these wait for each other: \`${cycle.join("` → `")}\``);
    return done.map((node) => ({ id: node.id, role: node.role, kind: node.kind.gvk, dependsOn: before(node) }));
  }

  /**
   * All nodes, each after those that it depends on and otherwise as declared; or the ids
   * of a cycle.
   * @internal
   */
  order(): { done: Declared[]; cycle?: string[] } {
    const done: Declared[] = [];
    const visit = (node: Declared, path: Declared[]): string[] | undefined => {
      if (done.includes(node)) return undefined;
      const begins = path.indexOf(node);
      if (begins >= 0) return [...path.slice(begins), node].map((on) => on.id);
      for (const other of node.after.filter((other) => other.plan === this)) {
        const cycle = visit(other, [...path, node]);
        if (cycle) return cycle;
      }
      done.push(node);
      return undefined;
    };
    for (const node of this.nodes) {
      const cycle = visit(node, []);
      if (cycle) return { done: [], cycle };
    }
    return { done };
  }
}

/** What is wrong with a declaration by itself. */
function wrong({ id, kind: { gvk }, role, after, plan }: Declared, api: Gvk): string[] {
  const wrong = [];
  if (!isId(id)) {
    wrong.push(`\`${id}\` is not an id: it begins with a letter and has at most 63 letters, digits, \`_\` and \`-\``);
  }
  if (!isKind(gvk)) wrong.push(`\`${apiVersionOf(gvk)} ${gvk.kind}\` of \`${id}\` is not a kind`);
  const isOwn = gvk.group === api.group && gvk.kind === api.kind;
  if (isOwn && (role === "child" || role === "collection")) {
    wrong.push(`\`${id}\` is of the API's own kind, ${nameOf(gvk)}: an instance may not create instances of its API`);
  }
  const foreign = after.find((other) => other.plan !== plan);
  if (foreign) wrong.push(`\`${id}\` is declared after \`${foreign.id}\`, which is of another plan`);
  return wrong;
}

/** The ids that one was declared after, each once. */
export function before(node: Declared): string[] {
  return [...new Set(node.after.map((other) => other.id))];
}

/** Whether another id has to be ready before this one, perhaps by way of a third. */
export function isAfter(node: Declared, other: Declared): boolean {
  return node.after.some((before) => before === other || isAfter(before, other));
}

/** The kinds that the nodes touch, each once for what is done with it. */
export function usedKinds(nodes: Node[]): Blueprint["kinds"] {
  const used = new Map<string, Blueprint["kinds"][number]>();
  for (const { kind, role } of nodes) {
    const access = role === "child" || role === "collection" ? "manage" : "read";
    used.set(`${apiVersionOf(kind)} ${kind.kind} ${access}`, { kind, access });
  }
  return [...used.values()];
}
