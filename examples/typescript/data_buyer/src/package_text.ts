/** The text of a package in its one form: docs/data-formats.md, "Package". */

import canonicalize from "canonicalize";

export type Value = string | number | boolean;
export type Cell = string | readonly [salt: string, value: Value];

/** What is committed to of a month. */
export interface Header {
  readonly count: number;
  readonly period: string;
  readonly root: string;
  readonly salt: string;
  readonly schema: string;
  readonly source: string;
  readonly subject: string;
}

/** A month of rows, granted cells open. */
export interface Batch {
  readonly header: Header;
  readonly rows: readonly (readonly Cell[])[];
}

const MOST_ROWS = 10_000;
const MOST_CELLS = 65;
const MOST_LINE_BYTES = 131_072;
const MOST_CHARACTERS = 256;

const HEADER: Record<keyof Header, RegExp> = {
  count: /^(0|[1-9][0-9]{0,4})$/,
  period: /^[0-9]{4}-(0[1-9]|1[0-2])$/,
  root: /^[0-9a-f]{64}$/,
  salt: /^[0-9a-f]{32}$/,
  schema: /^[a-z][a-z0-9_]{0,31}[.][1-9][0-9]{0,2}$/,
  source: /^[0-9a-f]{40}$/,
  subject: /^[0-9a-f]{64}$/,
};

function isHeader(told: unknown): told is Header {
  if (typeof told !== "object" || told === null) return false;
  const header = told as Record<string, unknown>;
  const isRight = ([name, form]: [string, RegExp]): boolean => {
    const value = header[name];
    const kind = name === "count" ? "number" : "string";
    return typeof value === kind && form.test(String(value));
  };
  return (
    Object.keys(header).sort().join() === Object.keys(HEADER).join() &&
    Object.entries(HEADER).every(isRight) &&
    (header["count"] as number) <= MOST_ROWS
  );
}

function isValue(value: unknown): value is Value {
  if (typeof value !== "string") return typeof value === "boolean" || Number.isSafeInteger(value);
  return [...value].length <= MOST_CHARACTERS && !/\p{Surrogate}/u.test(value);
}

function isCell(cell: unknown): cell is Cell {
  if (typeof cell === "string") return /^[0-9a-f]{64}$/.test(cell);
  if (!Array.isArray(cell) || cell.length !== 2) return false;
  const [salt, value] = cell as [unknown, unknown];
  return typeof salt === "string" && /^[0-9a-f]{32}$/.test(salt) && isValue(value);
}

function isBatch(told: unknown): told is Batch {
  if (typeof told !== "object" || told === null) return false;
  const { header, rows, ...more } = told as Record<string, unknown>;
  return (
    Object.keys(more).length === 0 &&
    isHeader(header) &&
    Array.isArray(rows) &&
    rows.length <= MOST_ROWS &&
    rows.every((row) => Array.isArray(row) && row.length <= MOST_CELLS && row.every(isCell))
  );
}

/** The text of batches, with line ends where the page has them. */
function written(batches: readonly Batch[]): string {
  if (batches.length === 0) return "[\n]";
  const parts = batches.map(({ header, rows }) => {
    const lines = rows.map((row) => canonicalize(row)).join(",\n");
    return `{"header":${canonicalize(header)},"rows":[\n${lines}${rows.length ? "\n" : ""}]}`;
  });
  return `[\n${parts.join(",\n")}\n]`;
}

/** The batches of a text; throws where it is not of the one form. */
export function readPackage(bytes: Uint8Array): readonly Batch[] {
  const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  const batches: unknown = JSON.parse(text);
  if (!Array.isArray(batches) || !batches.every(isBatch) || written(batches) !== text) {
    throw new Error("the text is not of the one form");
  }
  if (text.split("\n").some((line) => Buffer.byteLength(line) > MOST_LINE_BYTES)) {
    throw new Error("a line is too long");
  }
  return batches;
}
