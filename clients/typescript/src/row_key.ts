/** The keys of rows: one order-preserving encoding, and the forms that a proof file gives them. */

import { ascii, type Bytes, bytesOfHex, joined } from "./bytes.js";
import { isCount } from "./json.js";
import { KEYS } from "./registry.js";

/** One part of a row key: exactly one member is there, and it says how it is encoded. */
export interface KeyPart {
  readonly id?: string | null;
  readonly text?: string | null;
  readonly integer?: number | null;
}

const ID = /^[0-9a-f]{40}$/;
const PRINTABLE = /^[!-~]+$/;
const NUMBER_LIMIT = 65_535;
const INTEGER_BYTES = 8;

/** The full key of a row: two bytes each for module and table, then its parts. Throws TypeError. */
export function fullKey(module: number, table: number, key: readonly KeyPart[]): Bytes {
  if (![module, table].every((one) => isCount(one) && one <= NUMBER_LIMIT)) {
    throw new TypeError("module and table are 0 to 65535");
  }
  if (key.length === 0) throw new TypeError("a row key has at least one part");
  const prefix = new Uint8Array(4);
  const view = new DataView(prefix.buffer);
  view.setUint16(0, module);
  view.setUint16(2, table);
  return joined(prefix, ...key.map(partBytes));
}

/**
 * Whether a key is one that its table can have; of unknown tables, that its texts are printable.
 *
 * Throws TypeError. Else a proof of absence could carry any words: no row ever has such a key.
 */
export function checkKey(module: number, table: number, key: readonly KeyPart[]): void {
  const values = key.map(partValue);
  if (!values.every((value) => typeof value === "number" || PRINTABLE.test(value))) {
    throw new TypeError("a text in a key is printable ASCII without blanks");
  }
  const parts = KEYS[`${module}.${table}`];
  if (parts === undefined) return;
  const fits = key.map((part, at) => isOf(part, parts[at] ?? ""));
  if (key.length !== parts.length || !fits.every(Boolean)) {
    throw new TypeError("the table has no such key");
  }
}

/** Whether a part has a form: `id`, `integer`, or the pattern of a text. */
function isOf(part: KeyPart, form: string): boolean {
  if (form === "id") return typeof part.id === "string";
  if (form === "integer") return typeof part.integer === "number";
  return typeof part.text === "string" && new RegExp(form).test(part.text);
}

/** The value of a part, as it was asked for. */
export function partValue(part: KeyPart): string | number {
  return part.id ?? part.text ?? part.integer ?? "";
}

/** The bytes of one part; each form ends by itself. */
export function partBytes(part: KeyPart): Bytes {
  const given = Object.entries(part).filter(([, value]) => value !== null && value !== undefined);
  const [form, value] = given.length === 1 ? (given[0] ?? []) : [];
  if (form === "id" && typeof value === "string" && ID.test(value)) return bytesOfHex(value);
  if (form === "text" && typeof value === "string" && !value.includes("\0")) {
    return joined(ascii(value), Uint8Array.of(0));
  }
  if (form === "integer" && isCount(value)) {
    const bytes = new Uint8Array(INTEGER_BYTES);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
    return bytes;
  }
  throw new TypeError("a key part is one of id, text, integer");
}
