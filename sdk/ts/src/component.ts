/**
 * A module as the exports of a component: the values of the contract as componentize-js
 * has them. `croft-componentize` writes the few lines that call it.
 */

import * as z from "zod";

import { type Condition, Failure, type Module, type Problem, type Rendering, type Selection } from "./contract.js";
import { type Level, onLog, log } from "./log.js";

// Functions made of text would be compiled again in every call.
z.config({ jitless: true });

/** The exported interface `composer`, whose functions throw what the contract calls a failure. */
export function composer(module: Module, hostLog: (level: Level, message: string) => void) {
  onLog(hostLog);
  return {
    prepare(definition: string) {
      return answer(() => {
        const { blueprint, program, warnings } = module.prepare(JSON.parse(definition));
        const { api, kinds, nodes } = blueprint;
        return {
          tag: "ready",
          val: {
            blueprint: { api: { ...api, crd: JSON.stringify(api.crd) }, kinds, nodes },
            program: encoded(program),
            warnings: warnings.map(problemOf),
          },
        };
      });
    },
    render(program: Uint8Array, instance: string, observed: { id: string; key: string; object: string }[]) {
      return answer(() => {
        const seen = observed.map((seen) => ({ ...seen, object: JSON.parse(seen.object) }));
        return renderingOf(module.render(decoded(program), JSON.parse(instance), seen));
      });
    },
  };
}

/** What `err` of a `result` is thrown as. */
function answer<T>(act: () => T): T {
  try {
    return act();
  } catch (thrown) {
    if (thrown instanceof Failure && thrown.internal === undefined) {
      throw { tag: "invalid", val: thrown.problems.map(problemOf) };
    }
    const error = thrown instanceof Failure ? thrown.internal : thrown instanceof Error ? `${thrown.message}\n${thrown.stack}` : thrown;
    log.error(String(error));
    throw { tag: "internal", val: String(error) };
  }
}


function problemOf({ severity, code, at, message, hint }: Problem) {
  return { severity, code, at, span: undefined, message, hint };
}

function renderingOf(rendering: Rendering) {
  return {
    ...rendering,
    defaults: JSON.stringify(rendering.defaults),
    children: rendering.children.map((child) => ({ ...child, manifest: JSON.stringify(child.manifest) })),
    reads: rendering.reads.map((read) => ({ ...read, select: selectionOf(read.select) })),
    status: JSON.stringify(rendering.status),
    conditions: rendering.conditions.map(conditionOf),
    suspended: rendering.suspended,
  };
}

function selectionOf(select: Selection) {
  if ("name" in select) return { tag: "named", val: [select.namespace, select.name] };
  return { tag: "labelled", val: [select.namespace, JSON.stringify(select.selector)] };
}

function conditionOf({ type, holds, reason, message }: Condition) {
  const status = holds === undefined ? "unknown" : holds ? "is-true" : "is-false";
  return { type, status, reason, message };
}

function encoded(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function decoded(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
