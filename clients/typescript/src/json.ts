/** JSON in its one spelling (RFC 8785), and members that are what they should be. */

import canonicalize from "canonicalize";

import { type Bytes, utf8 } from "./bytes.js";

/** Whatever JSON can say. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;

/** A JSON object. */
export interface JsonObject {
  readonly [name: string]: Json;
}

/** The RFC 8785 text of a value; members that are undefined are left out. Throws Error. */
export function canonical(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError("there is no JSON for this value");
  return text;
}

/** The RFC 8785 bytes of a value. */
export function canonicalBytes(value: unknown): Bytes {
  return utf8(canonical(value));
}

/** Read JSON text. Throws SyntaxError. */
export function parsed(text: string): Json {
  return JSON.parse(text) as Json;
}

/** Whether a value is an object, and no array. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether a value is an integer that every JSON reader keeps exactly, from 0 on. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** What each member of an object must be; a name that ends in `?` may be left out. */
export type Shape = Readonly<Record<string, (value: Json) => boolean>>;

/** The object in `value`, if it has just the members of `shape`. Throws TypeError. */
export function shaped(value: Json, shape: Shape): JsonObject {
  if (!isObject(value)) throw new TypeError("not an object");
  const allowed = new Set(Object.keys(shape).map((name) => name.replace("?", "")));
  for (const name of Object.keys(value)) {
    if (!allowed.has(name)) throw new TypeError(`unknown member ${JSON.stringify(name)}`);
  }
  for (const [name, isRight] of Object.entries(shape)) {
    const member = value[name.replace("?", "")];
    if (member === undefined ? !name.endsWith("?") : !isRight(member)) {
      throw new TypeError(`member ${name.replace("?", "")} is missing or wrong`);
    }
  }
  return value;
}

/** Whether a value is text; with a pattern, text of that form. */
export function text(pattern?: RegExp): (value: Json) => boolean {
  return (value) => typeof value === "string" && (pattern === undefined || pattern.test(value));
}

/** Whether a value is a list of a length and of members that are right. */
export function list(
  isRight: (value: Json) => boolean,
  least = 0,
  most = Number.MAX_SAFE_INTEGER,
): (value: Json) => boolean {
  return (value) =>
    Array.isArray(value) && value.length >= least && value.length <= most && value.every(isRight);
}
