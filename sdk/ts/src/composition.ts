/** A module as code: its API is a schema, and a function states the children of an instance. */

import type * as z from "zod";

import { type Api, type Defaults, type Instance, checkDefinition, defaultsOf, internal, missing } from "./api.js";
import { Context } from "./context.js";
import { Failure, type JsonObject, type Module, type Observed, type Prepared, type Rendering, isObject } from "./contract.js";
import { type Halt, Invalid, Waits, Excluded, haltOf } from "./halt.js";
import { outcome } from "./outcome.js";
import { Plan, usedKinds } from "./plan.js";
import { readSpec } from "./read.js";

type StatusOf<A> = A extends Api<z.ZodObject, infer Status> ? Partial<z.input<Status>> : never;

/** States what an instance is made of, given what there is. */
export type Render<A> = (instance: Instance<A>, cx: Context<StatusOf<A>>) => void;

/** What a render needs of the definition. */
interface Program {
  config?: unknown;
  defaults: Defaults;
}

/**
 * A module: the API that it serves, the objects that an instance is made of, and how they
 * follow from the instance. `declare` is called for each definition and again for each
 * render, and has to declare the same for the same configuration. Kinds, rights, the
 * graph and its order follow from it.
 */
export function composition<Spec extends z.ZodObject, Status extends z.ZodObject>(
  api: Api<Spec, Status>,
  declare: (plan: Plan) => Render<Api<Spec, Status>>,
): Module {
  return {
    prepare: (definition) => prepare(api, declare, definition),
    render: (program, instance, observed) => render(api, declare, JSON.parse(program) as Program, instance, observed),
  };
}

type Declare = (plan: Plan) => (instance: never, cx: Context) => void;

function prepare(api: Api<any, any>, declare: Declare, definition: JsonObject): Prepared {
  const spec = isObject(definition.spec) ? definition.spec : {};
  const plan = new Plan(spec.config);
  outside(() => {
    checkDefinition(definition, api.kind);
    declare(plan);
    plan.checkConfig();
  });
  const { api: served, faults } = api.blueprint();
  const nodes = plan.blueprint(api.kind, faults);
  if (faults.length > 0) throw internal(faults);
  const program: Program = { defaults: defaultsOf(specSchema(served.crd)) };
  if (spec.config !== undefined) program.config = spec.config;
  const blueprint = { api: served, kinds: usedKinds(nodes), nodes };
  return { blueprint, program: JSON.stringify(program), warnings: plan.warnings };
}

function specSchema(crd: JsonObject): JsonObject {
  const { versions } = crd.spec as { versions: { schema: { openAPIV3Schema: { properties: { spec: JsonObject } } } }[] };
  return versions[0]?.schema.openAPIV3Schema.properties.spec ?? {};
}

function render(api: Api<any, any>, declare: Declare, program: Program, object: JsonObject, observed: Observed[]): Rendering {
  const plan = new Plan(program.config);
  const states = outside(() => declare(plan));
  const given = object.spec ?? {};
  const spec = readSpec(api.options.spec, given, api.plural);
  const metadata = isObject(object.metadata) ? object.metadata : {};
  const namespace = typeof metadata.namespace === "string" ? metadata.namespace : "";
  const cx = new Context(plan, observed, namespace, api.options.status);
  const rendering = outcome(cx, ended(() => states({ ...object, metadata, spec } as never, cx)));
  return { ...rendering, defaults: missing(program.defaults, given) };
}

/** Why a render stopped, if it did. */
function ended(act: () => void): Halt | undefined {
  try {
    act();
    return undefined;
  } catch (thrown) {
    return haltOf(thrown);
  }
}

/** Outside of a render nothing waits and nothing is switched off. */
function outside<T>(act: () => T): T {
  try {
    return act();
  } catch (thrown) {
    if (thrown instanceof Failure) throw thrown;
    const halt = haltOf(thrown);
    if (halt instanceof Invalid) throw new Failure([halt.problem]);
    const cannot = "`declare` cannot wait and cannot exclude: there is no instance yet";
    throw internal([halt instanceof Waits || halt instanceof Excluded ? cannot : halt.message]);
  }
}
