/** Proof files and trust files: what one party hands another that trusts no node. */

import { textOf, utf8 } from "./bytes.js";
import { CHAIN } from "./header.js";
import { isCount, isObject, type Json, list, parsed, type Shape, shaped, text } from "./json.js";
import type { KeyPart } from "./row_key.js";
import type { TrieProof } from "./trie.js";
import { VerificationError } from "./verification_error.js";
import type { Finding } from "./verification_error.js";

const FILE_BYTES_LIMIT = 8_388_608;
const KEYS_LIMIT = 1_000;
/** Light blocks that a proof may bring along. */
export const BLOCKS_LIMIT = 64;
const DAY_MS = 86_400_000;
/** How long a trust file of a network is good, unless it says so. */
export const PERIOD_MS = 14 * DAY_MS;
const PERIOD_LIMIT_MS = 3_660 * DAY_MS;
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
  /** Of a network: the state root, the block's own header, and light blocks between. */
  readonly state?: string | null;
  readonly block?: string | null;
  readonly blocks?: readonly string[];
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
  /** Of a network: the block's own header, and light blocks between. */
  readonly block?: string | null;
  readonly blocks?: readonly string[];
}

/** A proof of either kind. */
export type AnyProof = RowProof | TransactionProof;

/** Who may sign headers of a chain that has one authority. */
export interface SoloTrust {
  readonly chain: string;
  readonly engine: "solo";
  readonly keys: readonly string[];
}

/** A block of a network that is believed, and who votes on the next one. */
export interface NetworkTrust {
  readonly chain: string;
  readonly engine: "cometbft";
  readonly height: number;
  /** The block's time in ms UTC. */
  readonly time: number;
  /** Its hash in hex, empty where the genesis file itself is trusted. */
  readonly hash: string;
  readonly validators: readonly { readonly key: string; readonly power: number }[];
  /** After so many ms it makes no header believable any more. */
  readonly period_ms: number;
}

/** Who is trusted, by either engine. */
export type TrustFile = SoloTrust | NetworkTrust;

const isInteger = (value: Json): boolean => Number.isInteger(value);
const isFormat = (value: Json): boolean => value === 1;
const orNull = (isRight: (value: Json) => boolean) => (value: Json) =>
  value === null || isRight(value);
const isAnything = (): boolean => true;
const a = (shape: Shape) => (value: Json) => isObject(shaped(value, shape));

const within = (least: number, most: number) => (value: Json) =>
  isCount(value) && value >= least && value <= most;
const BLOCKS = { "block?": orNull(text()), "blocks?": list(text(), 0, BLOCKS_LIMIT) };

const KEY_PART = { "id?": orNull(text()), "text?": orNull(text()), "integer?": orNull(isInteger) };
const TRIE_PROOF = {
  steps: list(list(text(), 3, 3)),
  "leaf_path?": orNull(text()),
  "leaf_value_hash?": orNull(text()),
};
/** The members of a row's proof. */
export const ROW = {
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
  "state?": orNull(text()),
  ...BLOCKS,
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
  ...BLOCKS,
};
const SOLO_TRUST = {
  format: isFormat,
  chain: text(CHAIN),
  engine: text(/^solo$/),
  keys: list(text(KEY_ID), 1, KEYS_LIMIT),
};
const VALIDATOR = { key: text(KEY_ID), power: within(1, Number.MAX_SAFE_INTEGER) };
const NETWORK_TRUST = {
  format: isFormat,
  chain: text(CHAIN),
  engine: text(/^cometbft$/),
  height: isCount,
  time: isCount,
  hash: text(/^(?:[0-9a-f]{64})?$/),
  validators: list(a(VALIDATOR), 1, KEYS_LIMIT),
  "period_ms?": within(1, PERIOD_LIMIT_MS),
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
  return read(file, "TRUST_IS_UNREADABLE", (value) => {
    const isNetwork = isObject(value) && value["engine"] === "cometbft";
    const found = shaped(value, isNetwork ? NETWORK_TRUST : SOLO_TRUST);
    const whole = isNetwork ? { period_ms: PERIOD_MS, ...found } : found;
    return whole as unknown as TrustFile;
  });
}

/** Whether a trust file is of a chain that has one authority. */
export function isSoloTrust(trust: TrustFile): trust is SoloTrust {
  return trust.engine === "solo";
}

/** Whether a proof is one of a row. */
export function isRowProof(proof: object): proof is RowProof {
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
