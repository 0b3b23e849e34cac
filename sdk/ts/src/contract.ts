/**
 * The values that cross between croft and a module, with JSON parsed. `composition.wit`
 * of croft says what each means.
 */

/** A JSON object. */
export type JsonObject = { [name: string]: unknown };

/** A Kubernetes kind. The core group is the empty string. */
export interface Gvk {
  group: string;
  version: string;
  kind: string;
}

export type Scope = "namespaced" | "cluster";

/** One thing that is wrong with a definition or an instance. */
export interface Problem {
  severity: "error" | "warning";
  /** A PascalCase word that never changes. */
  code: string;
  /** An RFC 6901 JSON pointer into the document. */
  at: string;
  message: string;
  hint?: string;
}

/**
 * Why a call has no answer: the definition or the instance is wrong (`problems`), or
 * else the module is.
 */
export class Failure extends Error {
  constructor(
    readonly problems: Problem[],
    readonly internal?: string,
  ) {
    super(internal ?? problems.map((problem) => `${problem.message} at \`${problem.at}\``).join("; "));
    this.name = "Failure";
  }
}

export type Role = "child" | "collection" | "external" | "external-collection";

export interface Node {
  id: string;
  role: Role;
  kind: Gvk;
  dependsOn: string[];
}

export interface Blueprint {
  api: { kind: Gvk; plural: string; scope: Scope; crd: JsonObject };
  kinds: { kind: Gvk; access: "manage" | "read" }[];
  nodes: Node[];
}

export interface Prepared {
  blueprint: Blueprint;
  program: string;
  warnings: Problem[];
}

export interface Observed {
  id: string;
  key: string;
  object: JsonObject;
}

export interface RenderedChild {
  id: string;
  key: string;
  manifest: JsonObject;
  dependsOn: string[];
}

export type Selection = { namespace: string; name: string } | { namespace: string; selector: unknown };

export interface Condition {
  type: string;
  /** Whether it holds; `undefined` if nobody can tell. */
  holds: boolean | undefined;
  reason: string;
  message: string;
}

/** What an instance amounts to. */
export interface Rendering {
  defaults: JsonObject;
  children: RenderedChild[];
  blocked: { id: string; waitsFor: string[]; message: string }[];
  excluded: { id: string; message: string }[];
  reads: { id: string; kind: Gvk; select: Selection }[];
  readiness: { id: string; key: string; ready: boolean; message: string }[];
  status: JsonObject;
  conditions: Condition[];
  suspended?: string;
}

/** What croft calls, and what the test kit does. */
export interface Module {
  /** Reads and checks a definition; throws a {@link Failure}. */
  prepare(definition: JsonObject): Prepared;
  /** Renders one instance, given the program that `prepare` made; throws a {@link Failure}. */
  render(program: string, instance: JsonObject, observed: Observed[]): Rendering;
}

export function apiVersionOf(kind: Gvk): string {
  return kind.group === "" ? kind.version : `${kind.group}/${kind.version}`;
}

/** `ConfigMap` for the core group, `Deployment.apps` for another. */
export function nameOf(kind: Gvk): string {
  return kind.group === "" ? kind.kind : `${kind.kind}.${kind.group}`;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
