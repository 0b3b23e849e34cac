/**
 * What texts of the contract have to look like. croft checks them too; what is said here
 * says it to the module's author.
 */

import type { Gvk } from "./contract.js";

export const LONGEST_KEY = 512;

const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

export function isId(text: string): boolean {
  return /^[A-Za-z][A-Za-z0-9_-]{0,62}$/.test(text);
}

export function isKind({ group, version, kind }: Gvk): boolean {
  const isGroup = group === "" || (group.length <= 253 && group.split(".").every((label) => LABEL.test(label)));
  return isGroup && LABEL.test(version) && /^[A-Za-z][A-Za-z0-9]{0,62}$/.test(kind);
}

/** One word, perhaps with a domain before it. */
export function isWord(text: string): boolean {
  return text.length <= 253 && /^[A-Za-z]([A-Za-z0-9_,:./-]*[A-Za-z0-9_])?$/.test(text);
}

export function isReason(text: string): boolean {
  // eslint-disable-next-line no-control-regex
  return bytes(text) <= 1024 && !/[\u0000-\u001f\u007f-\u009f]/.test(text);
}

/** The length of a text in UTF-8. Not every host of JavaScript has a TextEncoder. */
export function bytes(text: string): number {
  let length = 0;
  for (const c of text) {
    const code = c.codePointAt(0) ?? 0;
    length += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return length;
}
