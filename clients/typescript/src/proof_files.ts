/** Proof files and trust files: what one party hands another that trusts no node. */

import { textOf, utf8 } from "./bytes.js";
import { CHAIN } from "./header.js";
import { isObject, type Json, list, parsed, type Shape, shaped, text } from "./json.js";
import type { KeyPart } from "./row_key.js";
import type { TrieProof } from "./trie.js";
import { VerificationError } from "./verification_error.js";
import type { Finding } from "./verification_error.js";

const FILE_BYTES_LIMIT = 8_388_608;
const KEYS_LIMIT = 1_000;
const KEY_ID = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;

/** That a row has a value, or (without the member `value`) none, under one signed header. */
export interface RowProof {
  readonly engine: string;
  readonly header: string;
  readonly module: number;
  readonly table: number;
  readonly name: string;
  readonly key: readonly KeyPart[];
  readonly proof: TrieProof;
  readonly value?: Json;
}

/** That a transaction stands in a block, and what its receipt says. Paths are hex. */
export interface TransactionProof {
  readonly engine: string;
  readonly header: string;
  readonly transaction: string;
  readonly receipt: Json;
  readonly index: number;
  readonly size: number;
  readonly receipts: number;
  readonly transaction_path: readonly string[];
  readonly receipt_path: readonly string[];
}

/** Who may sign headers of a chain. */
export interface TrustFile {
  readonly chain: string;
  readonly engine: string;
  readonly keys: readonly string[];
}

const isInteger = (value: Json): boolean => Number.isInteger(value);
const isFormat = (value: Json): boolean => value === 1;
const orNull = (isRight: (value: Json) => boolean) => (value: Json) =>
  value === null || isRight(value);
const isAnything = (): boolean => true;
const a = (shape: Shape) => (value: Json) => isObject(shaped(value, shape));

const KEY_PART = { "id?": orNull(text()), "text?": orNull(text()), "integer?": orNull(isInteger) };
const TRIE_PROOF = {
  steps: list(list(text(), 3, 3)),
  "leaf_path?": orNull(text()),
  "leaf_value_hash?": orNull(text()),
};
const ROW = {
  kind: text(),
  format: isFormat,
  engine: text(),
  header: text(),
  module: isInteger,
  table: isInteger,
  name: text(),
  key: list(a(KEY_PART)),
  proof: a(TRIE_PROOF),
  "value?": isAnything,
};
const TRANSACTION = {
  kind: text(),
  format: isFormat,
  engine: text(),
  header: text(),
  transaction: text(),
  receipt: isAnything,
  index: isInteger,
  size: isInteger,
  receipts: isInteger,
  transaction_path: list(text()),
  receipt_path: list(text()),
};
const TRUST = {
  format: isFormat,
  chain: text(CHAIN),
  engine: text(/^solo$/),
  keys: list(text(KEY_ID), 1, KEYS_LIMIT),
};
const SHAPES: ReadonlyMap<unknown, Shape> = new Map<unknown, Shape>([
  ["row", ROW],
  ["transaction", TRANSACTION],
]);

/** Read a proof file. Throws VerificationError. */
export function readProof(file: string | Uint8Array): RowProof | TransactionProof {
  return read(file, "PROOF_IS_UNREADABLE", (value) => {
    const shape = isObject(value) ? SHAPES.get(value["kind"]) : undefined;
    if (shape === undefined) throw new TypeError("kind is row or transaction");
    return shaped(value, shape) as unknown as RowProof | TransactionProof;
  });
}

/** Read a trust file. Throws VerificationError. */
export function readTrust(file: string | Uint8Array): TrustFile {
  return read(file, "TRUST_IS_UNREADABLE", (value) => shaped(value, TRUST) as unknown as TrustFile);
}

/** Whether a proof is one of a row. */
export function isRowProof(proof: RowProof | TransactionProof): proof is RowProof {
  return "module" in proof;
}

function read<Found>(
  file: string | Uint8Array,
  finding: Finding,
  check: (value: Json) => Found,
): Found {
  const bytes = typeof file === "string" ? utf8(file) : file;
  if (bytes.length > FILE_BYTES_LIMIT) throw new VerificationError(finding, "more than 8 MiB");
  try {
    return check(parsed(textOf(bytes)));
  } catch (error) {
    throw new VerificationError(finding, String(error));
  }
}
