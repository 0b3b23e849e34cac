/**
 * Why a piece of code does not come to its end: it waits, it is switched off, the input
 * is wrong, or the module is. All of them are thrown.
 */

import type { Problem } from "./contract.js";
import type { Declared, Handle } from "./plan.js";

/** What {@link invalid} and the others make, to be thrown. */
export abstract class Halt extends Error {}

export class Waits extends Halt {
  constructor(
    readonly on: Declared,
    message: string,
  ) {
    super(message);
  }
}

export class Excluded extends Halt {}

export class Fault extends Halt {}

export class Invalid extends Halt {
  readonly problem: Problem;

  constructor(field: string, message: string) {
    super(message);
    this.problem = { severity: "error", code: "Invalid", at: pointer(field), message };
  }

  /** What would be right. */
  hint(hint: string): this {
    this.problem.hint = hint;
    return this;
  }

  /** A PascalCase word for programs that never changes; without, it is `Invalid`. */
  code(code: string): this {
    this.problem.code = code;
    return this;
  }
}

/**
 * The definition or the instance is wrong at a field, such as `spec.name` or
 * `spec.pages[2].title`: `throw invalid("spec.name", "…").hint("…")`.
 */
export function invalid(field: string, message: string): Invalid {
  return new Invalid(field, message);
}

/** The object should not be, and the message says which condition says so. */
export function excluded(message: string): Halt {
  return new Excluded(message);
}

/**
 * Something of another object is missing, and the message says what. Where it is a
 * field, `cx.wait` says it by itself.
 */
export function waiting(on: Handle, message: string): Halt {
  return new Waits(on.declared, message);
}

/** The module is wrong: nobody who uses it can do anything about it. */
export function fault(message: string): Halt {
  return new Fault(message);
}

/** Whatever was thrown as a halt: anything unknown says that the module is wrong. */
export function haltOf(thrown: unknown): Halt {
  if (thrown instanceof Halt) return thrown;
  if (thrown instanceof Error) return new Fault(`${thrown.name}: ${thrown.message}\n${thrown.stack ?? ""}`.trim());
  return new Fault(String(thrown));
}

/** `spec.pages[2].title` as an RFC 6901 pointer. One that is given stays. */
export function pointer(field: string): string {
  if (field === "" || field.startsWith("/")) return field;
  const parts = field.split(/[.[]/).map((part) => part.replace(/\]$/, ""));
  return parts.map((part) => `/${escaped(part)}`).join("");
}

/** A segment of a pointer. */
export function escaped(part: string | number): string {
  return String(part).replaceAll("~", "~0").replaceAll("/", "~1");
}
