/**
 * What the author of a composition module in TypeScript depends on.
 *
 * A module serves an API, whose type is a schema of zod, and states the children of each
 * instance. Kinds, rights, the graph and its order follow from what it declares; what
 * strays from it is refused with a message for the module's author.
 *
 * `croft-componentize` makes a component of a module. Without it a module is an ordinary
 * object, which `croft-sdk/testing` calls as croft would.
 */

export { type Api, type ApiOptions, type Instance, api } from "./api.js";
export { type Render, composition } from "./composition.js";
export { type Context } from "./context.js";
export * from "./contract.js";
export { Halt, excluded, fault, invalid, waiting } from "./halt.js";
export { Kind, type Model, clusterScoped, namespaced } from "./kind.js";
export { type Level, log, onLog } from "./log.js";
export { type Child, type Collection, type External, type Externals, type Handle, Plan } from "./plan.js";
