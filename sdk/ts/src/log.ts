/** What a module says to the operator. Never part of the result: croft may drop every line. */

export type Level = "error" | "warn" | "info" | "debug";

let hear: (level: Level, message: string) => void = () => {};

/** Lets a test, or a component, hear what is logged. */
export function onLog(listener: (level: Level, message: string) => void): void {
  hear = listener;
}

export const log = {
  error: (message: string) => hear("error", message),
  warn: (message: string) => hear("warn", message),
  info: (message: string) => hear("info", message),
  debug: (message: string) => hear("debug", message),
};
