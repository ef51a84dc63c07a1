/** The verdict over a package: docs/data-formats.md, "Judge". */

import { type Bytes, four, hexOf, joined, ofHex, same, utf8 } from "./bytes.js";
import { H, jcs, root, rootOfChunks } from "./hashes.js";
import { type Batch, type Cell, readPackage } from "./package_text.js";
import { openChunks } from "./sealing.js";

export type Verdict =
  | "OK"
  | "EVIDENCE_IS_NOT_COMMITTED"
  | "PACKAGE_DOES_NOT_OPEN"
  | "ROWS_ARE_MISSING"
  | "HEADER_IS_NOT_COMMITTED"
  | "GRANTED_CELL_IS_HIDDEN"
  | "ROW_IS_NOT_COMMITTED";

/** What the ledger says of a batch: hashes and ids in hex. */
export interface OrderedBatch {
  readonly commitment: string;
  readonly period: string;
  readonly source: string;
  readonly subject: string;
}

/** What the ledger says of a sealed order. */
export interface Ordered {
  readonly id: Bytes;
  readonly schema: string;
  /** The schema's fields, in the ledger's order. */
  readonly schemaFields: readonly string[];
  readonly fields: readonly string[];
  /** The ordered batches as the ledger has them, in the order of the order. */
  readonly batches: readonly OrderedBatch[];
  readonly chunks: number;
  readonly packageRoot: string;
  readonly aCommit: string;
  readonly bLock: string;
}

/** Whether `a` and the chunks are those that were sealed: to be known before Confirm. */
export async function isDelivered(
  ordered: Ordered,
  a: Bytes,
  chunks: readonly Bytes[],
): Promise<boolean> {
  return (
    a.length === 32 &&
    chunks.length === ordered.chunks &&
    hexOf(await H("a", ordered.id, a)) === ordered.aCommit &&
    hexOf(await rootOfChunks(chunks)) === ordered.packageRoot
  );
}

interface Judged {
  readonly verdict: Verdict;
  readonly batches: readonly Batch[];
}

/** The verdict, and with OK the ordered batches. */
export async function judge(
  ordered: Ordered,
  a: Bytes,
  b: Bytes,
  chunks: readonly Bytes[],
): Promise<Judged> {
  const isB = b.length === 32 && hexOf(await H("b", ordered.id, b)) === ordered.bLock;
  if (!isB || !(await isDelivered(ordered, a, chunks))) return found("EVIDENCE_IS_NOT_COMMITTED");
  let batches: readonly Batch[];
  try {
    batches = readPackage(await openChunks(await packageKey(ordered.id, a, b), ordered.id, chunks));
  } catch {
    return found("PACKAGE_DOES_NOT_OPEN");
  }
  for (const [place, known] of ordered.batches.entries()) {
    const fault = await faultOf(ordered, known, batches[place]);
    if (fault !== undefined) return found(fault);
  }
  return { verdict: "OK", batches: batches.slice(0, ordered.batches.length) };
}

function found(verdict: Verdict): Judged {
  return { verdict, batches: [] };
}

async function packageKey(order: Bytes, a: Bytes, b: Bytes): Promise<Bytes> {
  const halves = await crypto.subtle.importKey("raw", joined(a, b), "HKDF", false, ["deriveBits"]);
  const info = utf8("tongbao/data/package/1");
  const rule = { name: "HKDF", hash: "SHA-256", salt: order, info };
  return new Uint8Array(await crypto.subtle.deriveBits(rule, halves, 256));
}

async function faultOf(
  ordered: Ordered,
  known: OrderedBatch,
  batch: Batch | undefined,
): Promise<Verdict | undefined> {
  if (batch === undefined) return "ROWS_ARE_MISSING";
  const { header, rows } = batch;
  const isCommitted = hexOf(await H("batch", jcs(header))) === known.commitment;
  const isOrdered =
    header.source === known.source &&
    header.subject === known.subject &&
    header.schema === ordered.schema &&
    header.period === known.period;
  if (!isCommitted || !isOrdered) return "HEADER_IS_NOT_COMMITTED";
  if (rows.length < header.count) return "ROWS_ARE_MISSING";
  const granted = ordered.fields.map((field) => 1 + ordered.schemaFields.indexOf(field));
  if (rows.some((row) => granted.some((place) => !Array.isArray(row[place])))) {
    return "GRANTED_CELL_IS_HIDDEN";
  }
  const names = ["event", ...ordered.schemaFields];
  const isWhole = rows.length === header.count && rows.every((row) => row.length === names.length);
  if (!isWhole) return "ROW_IS_NOT_COMMITTED";
  const leaves = await Promise.all(rows.map((row, number) => leafOf(names, row, number)));
  return same(await root(leaves), ofHex(header.root, 32)) ? undefined : "ROW_IS_NOT_COMMITTED";
}

async function leafOf(
  names: readonly string[],
  row: readonly Cell[],
  number: number,
): Promise<Bytes> {
  const hashes = row.map((cell, place) => {
    if (typeof cell === "string") return ofHex(cell, 32);
    const [salt, value] = cell;
    return H("cell", utf8(names[place] as string), ofHex(salt, 16), jcs(value));
  });
  return H("row", four(number), ...(await Promise.all(hashes)));
}

/** The granted values of each row, by the name of their field. */
export function rowsOf(ordered: Ordered, batches: readonly Batch[]): Record<string, unknown>[] {
  const places = ordered.fields.map((field) => [field, 1 + ordered.schemaFields.indexOf(field)]);
  const one = (row: readonly Cell[]): Record<string, unknown> =>
    Object.fromEntries(places.map(([name, at]) => [name, row[at as number]?.[1]]));
  return batches.flatMap((batch) => batch.rows.map(one));
}
