/**
 * The API of a module: the CRD of its schemas, with what croft asks of it checked, so that
 * the module's author sees here what a server would refuse later.
 */

import * as z from "zod";

import { type Blueprint, type Gvk, type JsonObject, Failure, isObject } from "./contract.js";
import { invalid } from "./halt.js";
import { gvk } from "./kind.js";

/** What an API is. `spec` and `status` are schemas of zod. */
export interface ApiOptions<Spec extends z.ZodObject, Status extends z.ZodObject> {
  group: string;
  version: string;
  kind: string;
  /** The resource name in URLs; without, the kind in lower case with an `s`. */
  plural?: string;
  scope?: "Namespaced" | "Cluster";
  shortNames?: string[];
  /** What `kubectl explain` says of it. */
  description?: string;
  spec: Spec;
  status?: Status;
  /** As in a CRD's `additionalPrinterColumns`; without, the state, whether it is ready, and the age. */
  columns?: JsonObject[];
}

/** An API: the type of its instances, and its CRD. */
export class Api<Spec extends z.ZodObject = z.ZodObject, Status extends z.ZodObject = z.ZodObject> {
  readonly kind: Gvk;
  readonly plural: string;

  constructor(readonly options: ApiOptions<Spec, Status>) {
    this.kind = gvk(`${options.group}/${options.version}`, options.kind);
    this.plural = options.plural ?? plural(options.kind);
  }

  /**
   * What croft is told of it, and what is wrong with it.
   * @internal
   */
  blueprint(): { api: Blueprint["api"]; faults: string[] } {
    const faults: string[] = [];
    const { options, kind, plural } = this;
    const properties: JsonObject = { spec: schemaOf(options.spec, "spec", faults) };
    if (options.status) {
      properties.status = schemaOf(options.status, "status", faults);
      ownFields(properties.status as JsonObject, faults);
    }
    const schema: JsonObject = { type: "object", properties, required: ["spec"] };
    if (options.description) schema.description = options.description;
    const names: JsonObject = { kind: kind.kind, listKind: `${kind.kind}List`, plural, singular: kind.kind.toLowerCase() };
    if (options.shortNames) names.shortNames = options.shortNames;
    const version = {
      name: kind.version,
      served: true,
      storage: true,
      schema: { openAPIV3Schema: schema },
      subresources: { status: {} },
      additionalPrinterColumns: options.columns ?? COLUMNS,
    };
    const scope = options.scope ?? "Namespaced";
    const crd = {
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: `${plural}.${kind.group}` },
      spec: { group: kind.group, names, scope, versions: [version] },
    };
    return { api: { kind, plural, scope: scope === "Cluster" ? "cluster" : "namespaced", crd }, faults };
  }
}

/** An instance as `render` gets it: with defaults. */
export type Instance<A> =
  A extends Api<infer Spec, z.ZodObject>
    ? { metadata: { name: string; namespace?: string; uid?: string; labels?: Record<string, string>; annotations?: Record<string, string> }; spec: z.output<Spec> }
    : never;

/** Declares an API by the schemas of its `spec` and its `status`. */
export function api<Spec extends z.ZodObject, Status extends z.ZodObject = z.ZodObject<{}>>(
  options: ApiOptions<Spec, Status>,
): Api<Spec, Status> {
  return new Api(options);
}

/** The columns of every other API of croft's. */
const COLUMNS = [
  { name: "State", description: "What the instance is at", jsonPath: ".status.state", type: "string" },
  {
    name: "Ready",
    description: "Whether its children are there and ready",
    jsonPath: '.status.conditions[?(@.type=="Ready")].status',
    type: "string",
  },
  { name: "Age", description: "Age of the resource", jsonPath: ".metadata.creationTimestamp", type: "date" },
];

function plural(kind: string): string {
  const name = kind.toLowerCase();
  if (/(s|x|z|ch|sh)$/.test(name)) return `${name}es`;
  return /[^aeiou]y$/.test(name) ? `${name.slice(0, -1)}ies` : `${name}s`;
}

/** The schema of a CRD out of one of zod, and what no CRD may have. */
function schemaOf(schema: z.ZodType, at: string, faults: string[]): JsonObject {
  let found: JsonObject;
  try {
    found = z.toJSONSchema(schema, { target: "openapi-3.0", io: "input" }) as JsonObject;
  } catch (error) {
    faults.push(`the API's field \`${at}\` has no schema: ${(error as Error).message}`);
    return { type: "object" };
  }
  delete found.$schema;
  structural(found, at, faults);
  return found;
}

const NEVER = ["$ref", "definitions", "$defs", "dependencies", "patternProperties"];

/** Takes away what only zod reads, and adds what keeps a server from taking the schema to `faults`. */
function structural(schema: JsonObject, at: string, faults: string[]): void {
  delete schema.propertyNames;
  // What is unknown is pruned by a server, whatever the schema says.
  if (schema.additionalProperties === false) delete schema.additionalProperties;
  if (isObject(schema.additionalProperties) && Object.keys(schema.additionalProperties).length === 0) {
    delete schema.additionalProperties;
    schema["x-kubernetes-preserve-unknown-fields"] = true;
  }
  for (const word of NEVER.filter((word) => word in schema)) {
    faults.push(`the API's field \`${at}\` has \`${word}\`, which no CRD may have`);
  }
  const isFree = schema["x-kubernetes-int-or-string"] === true || schema["x-kubernetes-preserve-unknown-fields"] === true;
  if (typeof schema.type !== "string" && !isFree) {
    const hint = 'give it a type of zod that says one, or `.meta({ "x-kubernetes-preserve-unknown-fields": true })`';
    faults.push(`the API's field \`${at}\` has no \`type\`, so that the schema is not structural: ${hint}`);
  }
  for (const [name, inner] of Object.entries((schema.properties ?? {}) as Record<string, JsonObject>)) {
    structural(inner, `${at}.${name}`, faults);
  }
  if (isObject(schema.items)) structural(schema.items, `${at}[]`, faults);
  if (isObject(schema.additionalProperties)) structural(schema.additionalProperties, `${at}.*`, faults);
}

/** The host writes these fields of the status. */
function ownFields(status: JsonObject, faults: string[]): void {
  const properties = (status.properties ?? {}) as Record<string, JsonObject>;
  if (properties.croft) {
    faults.push("the status has a field `croft`, which croft keeps its record in: give it another name");
  }
  for (const [field, wanted] of [
    ["state", "string"],
    ["conditions", "array"],
  ] as const) {
    const found = properties[field]?.type;
    if (found !== undefined && found !== wanted) {
      faults.push(
        `the status has a field \`${field}\` of type ${String(found)}, and croft writes one of type ${wanted} there: ` +
          "leave it out, or give it another name",
      );
    }
  }
}

/** Defaults of a schema, or of the fields below it. */
export interface Defaults {
  [field: string]: { default?: unknown; fields?: Defaults };
}

/** The defaults of a CRD's schema. Those in lists and maps are the server's alone. */
export function defaultsOf(schema: JsonObject): Defaults {
  const defaults: Defaults = {};
  for (const [name, inner] of Object.entries((schema.properties ?? {}) as Record<string, JsonObject>)) {
    const fields = defaultsOf(inner);
    const field: Defaults[string] = {};
    if (inner.default !== undefined && inner.default !== null) field.default = inner.default;
    if (Object.keys(fields).length > 0) field.fields = fields;
    if (Object.keys(field).length > 0) defaults[name] = field;
  }
  return defaults;
}

/**
 * The fields to fill in, as an object shaped like `spec`. A field that is not an object
 * is named also where the instance has one, which stays as it is: so the answer does not
 * change when it was filled in.
 */
export function missing(defaults: Defaults, spec: unknown): JsonObject {
  const missing: JsonObject = {};
  for (const [name, field] of Object.entries(defaults)) {
    const present = isObject(spec) ? spec[name] : undefined;
    if (isObject(present)) {
      const inner = missing_(field, present);
      if (Object.keys(inner).length > 0) missing[name] = inner;
    } else if (field.default !== undefined && (present === undefined || !isObject(field.default))) {
      missing[name] = field.default;
    }
  }
  return missing;
}

function missing_(field: Defaults[string], present: JsonObject): JsonObject {
  return missing(field.fields ?? {}, present);
}

/**
 * Refuses a definition that is for something else than the API that the module serves.
 * The code is the definition, so little is read: a `Composition` says nothing of the API,
 * and the other kinds say which one they are for.
 */
export function checkDefinition(definition: JsonObject, api: Gvk): void {
  const { group, kind } = gvk(String(definition.apiVersion ?? ""), String(definition.kind ?? ""));
  if (group === "croft.run" && kind === "Composition") return;
  if (group !== "kro.run" || (kind !== "ResourceGroup" && kind !== "ResourceGraphDefinition")) {
    throw invalid("kind", "the module does not read definitions of this kind")
      .code("UnsupportedKind")
      .hint("write `apiVersion: croft.run/v1alpha1` and `kind: Composition`");
  }
  const spec = isObject(definition.spec) ? definition.spec : {};
  const schema = isObject(spec.schema) ? spec.schema : {};
  for (const [field, wanted] of [
    ["kind", api.kind],
    ["apiVersion", api.version],
  ] as const) {
    const found = schema[field];
    if (found === wanted) continue;
    const message = `the module serves the ${field} \`${wanted}\`, the definition has ${JSON.stringify(found ?? null)}`;
    throw invalid(`spec.schema.${field}`, message).code("WrongApi").hint(`write \`${field}: ${wanted}\`, or a \`Composition\``);
  }
}

export function internal(faults: string[]): Failure {
  return new Failure([], faults.join("; "));
}
