/** What stands in an audit bundle, and what follows from it: names of members, CSV, sums. */

import { CHAIN } from "./header.js";
import { isCount, isObject, type Json, list, shaped, text } from "./json.js";
import type { Shape } from "./json.js";
import { BLOCKS_LIMIT, ROW, type RowProof } from "./proof_files.js";

/** A movement: `balance` is held after it, `unproven` says why the bundle has no proof of it. */
export interface BundleLine {
  /** The block's time in ms UTC. */
  readonly time: number;
  readonly height: number;
  readonly index: number;
  readonly place: number;
  readonly way: "in" | "out";
  readonly amount: string;
  readonly balance: string;
  readonly id?: string;
  readonly counterparty?: string;
  readonly reference?: string;
  readonly unproven?: "due_work" | "pruned";
}

/** The statement of a bundle: of blocks with `from` <= time < `to`, in ms UTC. */
export interface BundleStatement {
  readonly format: number;
  readonly chain: string;
  readonly account: string;
  readonly asset: string;
  readonly from: number;
  readonly to: number;
  readonly opening: string;
  readonly total_in: string;
  readonly total_out: string;
  readonly closing: string;
  /** What the account holds after block `height`. */
  readonly holding: string;
  readonly height: number;
  readonly movements: readonly BundleLine[];
  /** What moved after the period, up to that block. */
  readonly since: readonly BundleLine[];
}

/** A transaction in its block. */
export interface InBlock {
  readonly index: number;
  readonly transaction: string;
  readonly receipt: Json;
  readonly transaction_path: readonly string[];
  readonly receipt_path: readonly string[];
}

/** What one block proves. */
export interface BlockMember {
  readonly engine: string;
  readonly header: string;
  readonly size: number;
  readonly receipts: number;
  readonly transactions: readonly InBlock[];
  readonly due?: { readonly receipt: Json; readonly receipt_path: readonly string[] };
  readonly block?: string;
  /** Of a network: light blocks that lead from the header before. */
  readonly blocks?: readonly string[];
}

/** What the archive is, and every member before the manifest. */
export interface Manifest {
  readonly format: number;
  readonly kind: string;
  readonly engine: string;
  readonly chain: string;
  readonly members: readonly {
    readonly name: string;
    readonly bytes: number;
    readonly sha256: string;
  }[];
}

const MOVEMENTS_LIMIT = 10_000;
const LAST_TIME = 253_402_300_799_999;
const HASH = text(/^[0-9a-f]{64}$/);
const ADDRESS = text(/^[0-9a-f]{40}$/);
const AMOUNT = text(/^(?:0|[1-9][0-9]{0,40})(?:[.][0-9]{1,18})?$/);
const isInteger = (value: Json): boolean => Number.isInteger(value);
const isAnything = (): boolean => true;
const isMoment = (value: Json): boolean => isCount(value) && value <= LAST_TIME;
const a = (shape: Shape) => (value: Json) => isObject(shaped(value, shape));

const LINE = {
  time: isMoment,
  height: isCount,
  index: isCount,
  place: isCount,
  way: text(/^(?:in|out)$/),
  amount: AMOUNT,
  balance: AMOUNT,
  "id?": HASH,
  "counterparty?": ADDRESS,
  "reference?": text(/^(?:[A-Za-z0-9-]{1,35}|[0-9a-f]{64})$/),
  "unproven?": text(/^(?:due_work|pruned)$/),
};
const LINES = list(a(LINE), 0, MOVEMENTS_LIMIT);
const STATEMENT = {
  format: isInteger,
  chain: text(CHAIN),
  account: ADDRESS,
  asset: text(/^[A-Z][A-Z0-9]{0,11}[.][0-9a-f]{40}$/),
  from: isMoment,
  to: isMoment,
  opening: AMOUNT,
  total_in: AMOUNT,
  total_out: AMOUNT,
  closing: AMOUNT,
  holding: AMOUNT,
  height: isCount,
  movements: LINES,
  since: LINES,
};
const IN_BLOCK = {
  index: isCount,
  transaction: text(),
  receipt: isAnything,
  transaction_path: list(HASH),
  receipt_path: list(HASH),
};
const BLOCK = {
  engine: text(),
  header: text(),
  size: isCount,
  receipts: isCount,
  transactions: list(a(IN_BLOCK)),
  "due?": a({ receipt: isAnything, receipt_path: list(HASH) }),
  "block?": text(),
  "blocks?": list(text(), 1, BLOCKS_LIMIT),
};
const MANIFEST = {
  format: isInteger,
  kind: text(),
  engine: text(),
  chain: text(CHAIN),
  members: list(a({ name: text(), bytes: isCount, sha256: HASH })),
};

/** The members of an archive that have a name of their own. */
export const NAMES = {
  definition: "rows/definition.json",
  holding: "rows/holding.json",
  csv: "statement.csv",
  statement: "statement.json",
  trust: "trust.json",
  manifest: "manifest.json",
} as const;

/** A statement. Throws TypeError. */
export function readStatement(value: Json): BundleStatement {
  return shaped(value, STATEMENT) as unknown as BundleStatement;
}

/** What one block proves. Throws TypeError. */
export function readBlock(value: Json): BlockMember {
  return shaped(value, BLOCK) as unknown as BlockMember;
}

/** A manifest. Throws TypeError. */
export function readManifest(value: Json): Manifest {
  return shaped(value, MANIFEST) as unknown as Manifest;
}

/** A row's proof in the one form that a bundle has it: nothing is null. Throws TypeError. */
export function readRow(value: Json): RowProof {
  const found = shaped(value, { ...ROW, kind: text(/^row$/) }) as unknown as RowProof;
  const { value: _, ...others } = found;
  const parts = [others, found.proof, ...found.key];
  if (parts.some((part) => Object.values(part).includes(null))) throw new TypeError("null");
  if (found.blocks?.length === 0) throw new TypeError("no blocks");
  return found;
}

/** The member that is about a block. */
export function blockName(height: number): string {
  return `blocks/${String(height).padStart(12, "0")}.json`;
}

/** The members of a bundle of these movements, in their order. */
export function namesOf(lines: readonly BundleLine[]): string[] {
  const proven = lines.filter((line) => line.unproven === undefined);
  const heights = [...new Set(proven.map((line) => line.height))].sort((one, two) => one - two);
  return [...heights.map(blockName), ...Object.values(NAMES)];
}

const COLUMNS =
  "time,way,amount,balance,counterparty,reference,id,height,index,place,unproven";

/** The movements of the period as CSV. */
export function csvOf(statement: BundleStatement): string {
  return [COLUMNS, ...statement.movements.map(cells), ""].join("\r\n");
}

function cells(line: BundleLine): string {
  const reference = line.reference ?? "";
  return [
    new Date(line.time).toISOString(),
    line.way,
    line.amount,
    line.balance,
    line.counterparty ?? "",
    // A spreadsheet would take it for a formula.
    reference.startsWith("-") ? `'${reference}` : reference,
    line.id ?? "",
    line.height,
    line.index,
    line.place,
    line.unproven ?? "",
  ].join(",");
}

/** An amount's number of smallest units. */
export function unitsOf(amount: string): bigint {
  return BigInt(amount.replace(".", ""));
}

/** How many decimals an amount is written with. */
export function decimalsOf(amount: string): number {
  return amount.split(".")[1]?.length ?? 0;
}
