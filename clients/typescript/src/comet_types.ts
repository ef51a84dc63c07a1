/** What a header of CometBFT and the votes on it are made of: `tendermint/types/*.proto`. */

import type { Bytes } from "./bytes.js";
import type { Fields } from "./protobuf.js";

/** Seconds since 1970 UTC, and nanoseconds on top. */
export interface Timestamp {
  readonly seconds: bigint;
  readonly nanos: bigint;
}

/** Into how many parts a block is cut to be sent, and the root over them. */
export interface PartSetHeader {
  readonly total: bigint;
  readonly hash: Bytes;
}

/** A block by the hash of its header and its parts. */
export interface BlockId {
  readonly hash: Bytes;
  readonly part_set_header: PartSetHeader | undefined;
}

/** What a block commits to; `app_hash` and `last_results_hash` are of the block before. */
export interface CometHeader {
  readonly version: { readonly block: bigint; readonly app: bigint } | undefined;
  readonly chain_id: string;
  readonly height: bigint;
  readonly time: Timestamp | undefined;
  readonly last_block_id: BlockId | undefined;
  readonly last_commit_hash: Bytes;
  readonly data_hash: Bytes;
  readonly validators_hash: Bytes;
  readonly next_validators_hash: Bytes;
  readonly consensus_hash: Bytes;
  readonly app_hash: Bytes;
  readonly last_results_hash: Bytes;
  readonly evidence_hash: Bytes;
  readonly proposer_address: Bytes;
}

/** One validator's vote: 1 absent, 2 for the block, 3 for none. */
export interface CommitSig {
  readonly block_id_flag: bigint;
  readonly validator_address: Bytes;
  readonly timestamp: Timestamp | undefined;
  readonly signature: Bytes;
}

/** The votes on a block, in the order of its validators. */
export interface Commit {
  readonly height: bigint;
  readonly round: bigint;
  readonly block_id: BlockId | undefined;
  readonly signatures: readonly CommitSig[];
}

/** Who votes, and with how much power. */
export interface Validator {
  readonly address: Bytes;
  readonly pub_key: { readonly ed25519: Bytes } | undefined;
  readonly voting_power: bigint;
}

/** A header, the votes on it, and who may vote. */
export interface LightBlock {
  readonly signed_header:
    | { readonly header: CometHeader | undefined; readonly commit: Commit | undefined }
    | undefined;
  readonly validator_set: { readonly validators: readonly Validator[] } | undefined;
}

/** Seconds and nanoseconds. */
export const TIMESTAMP: Fields = [
  ["seconds", 1, "int"],
  ["nanos", 2, "int"],
];
/** Versions of the block's form and of the application. */
export const VERSION: Fields = [
  ["block", 1, "uint"],
  ["app", 2, "uint"],
];
const PARTS: Fields = [
  ["total", 1, "uint"],
  ["hash", 2, "bytes"],
];
/** A block's id. */
export const BLOCK_ID: Fields = [
  ["hash", 1, "bytes"],
  ["part_set_header", 2, PARTS],
];
/** A header. */
export const HEADER: Fields = [
  ["version", 1, VERSION],
  ["chain_id", 2, "text"],
  ["height", 3, "int"],
  ["time", 4, TIMESTAMP],
  ["last_block_id", 5, BLOCK_ID],
  ["last_commit_hash", 6, "bytes"],
  ["data_hash", 7, "bytes"],
  ["validators_hash", 8, "bytes"],
  ["next_validators_hash", 9, "bytes"],
  ["consensus_hash", 10, "bytes"],
  ["app_hash", 11, "bytes"],
  ["last_results_hash", 12, "bytes"],
  ["evidence_hash", 13, "bytes"],
  ["proposer_address", 14, "bytes"],
];
const VOTE: Fields = [
  ["block_id_flag", 1, "int"],
  ["validator_address", 2, "bytes"],
  ["timestamp", 3, TIMESTAMP],
  ["signature", 4, "bytes"],
];
const COMMIT: Fields = [
  ["height", 1, "int"],
  ["round", 2, "int"],
  ["block_id", 3, BLOCK_ID],
  ["signatures", 4, VOTE, "many"],
];
const PUBLIC_KEY: Fields = [["ed25519", 1, "bytes"]];
const VALIDATOR: Fields = [
  ["address", 1, "bytes"],
  ["pub_key", 2, PUBLIC_KEY],
  ["voting_power", 3, "int"],
];
/** What a header commits to of a validator. */
export const SIMPLE_VALIDATOR: Fields = [
  ["pub_key", 1, PUBLIC_KEY],
  ["voting_power", 2, "int"],
];
/** What a header commits to of a transaction's result. */
export const RESULT: Fields = [
  ["code", 1, "uint"],
  ["data", 2, "bytes"],
];
/** A light block. */
export const LIGHT_BLOCK: Fields = [
  [
    "signed_header",
    1,
    [
      ["header", 1, HEADER],
      ["commit", 2, COMMIT],
    ],
  ],
  ["validator_set", 2, [["validators", 1, VALIDATOR, "many"]]],
];
