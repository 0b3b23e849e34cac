/** JSON as what a schema makes of it, with the place of what is wrong. */

import type * as z from "zod";

import { Failure, type Problem, isObject } from "./contract.js";
import { escaped, invalid } from "./halt.js";

/** A definition's configuration. */
export function readConfig<Schema extends z.ZodType>(schema: Schema, config: unknown): z.output<Schema> {
  const read = schema.safeParse(config);
  if (!read.success) throw new Failure(read.error.issues.map((issue) => problemOf(issue, config, "/spec/config")));
  const unknown = unknownField(config, read.data, "/spec/config");
  if (unknown === undefined) return read.data;
  const name = unknown.slice(unknown.lastIndexOf("/") + 1);
  throw invalid(unknown, `the module's configuration has no field \`${name}\``)
    .code("UnknownField")
    .hint("correct its name, or remove it");
}

/** An instance's `spec`. `plural` names the resource whose schema says what would be right. */
export function readSpec<Schema extends z.ZodType>(schema: Schema, spec: unknown, plural: string): z.output<Schema> {
  const read = schema.safeParse(spec);
  if (read.success) return read.data;
  throw new Failure(
    read.error.issues.map((issue) => {
      const problem = problemOf(issue, spec, "/spec");
      return { ...problem, hint: explain(plural, problem.at) };
    }),
  );
}

function problemOf(issue: z.core.$ZodIssue, document: unknown, at: string): Problem {
  const path = issue.path.map(String);
  const found = path.reduce<unknown>((value, part) => (value as Record<string, unknown> | undefined)?.[part], document);
  const place = (path: string[]) => at + path.map((part) => `/${escaped(part)}`).join("");
  const last = path.at(-1);
  if (last !== undefined && found === undefined) {
    return invalid(place(path.slice(0, -1)), `\`${last}\` is required`).code("MissingField").problem;
  }
  const message = issue.code === "invalid_type" ? `invalid type: ${described(found)}, expected ${named(issue.expected)}` : issue.message;
  const code = issue.code === "unrecognized_keys" ? "UnknownField" : "InvalidValue";
  return invalid(place(path), message).code(code).problem;
}

function explain(plural: string, at: string): string {
  const field = at.split("/").slice(1).filter((part) => !/^\d+$/.test(part));
  return `\`kubectl explain ${[plural, ...field].join(".")}\` says what it takes`;
}

function named(type: string): string {
  const names: Record<string, string> = { array: "a list", object: "an object", int: "an integer", record: "an object" };
  return names[type] ?? `a ${type}`;
}

function described(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "sequence";
  switch (typeof value) {
    case "object":
      return "map";
    case "number":
      return `${Number.isInteger(value) ? "integer" : "floating point"} \`${value}\``;
    case "string":
      return `string ${JSON.stringify(value)}`;
    default:
      return `${typeof value} \`${String(value)}\``;
  }
}

/** The place of the first field that a schema has left out of what it read. */
function unknownField(given: unknown, read: unknown, at: string): string | undefined {
  if (Array.isArray(given) && Array.isArray(read)) {
    for (const [i, element] of given.entries()) {
      const unknown = unknownField(element, read[i], `${at}/${i}`);
      if (unknown !== undefined) return unknown;
    }
  } else if (isObject(given) && isObject(read)) {
    for (const name of Object.keys(given).sort()) {
      const inner = `${at}/${escaped(name)}`;
      const unknown = name in read ? unknownField(given[name], read[name], inner) : inner;
      if (unknown !== undefined) return unknown;
    }
  }
  return undefined;
}
