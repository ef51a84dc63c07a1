/** Whether headers, votes and validators are well-formed, as CometBFT's `ValidateBasic` has it. */

import { type Bytes, bytesOfBase64url, same, utf8 } from "./bytes.js";
import { addressOf } from "./comet_hashes.js";
import {
  type BlockId,
  type CometHeader,
  type Commit,
  type CommitSig,
  HEADER,
  LIGHT_BLOCK,
  type LightBlock,
  type Timestamp,
  type Validator,
} from "./comet_types.js";
import { decode } from "./protobuf.js";
import { VerificationError } from "./verification_error.js";

const BLOCK_PROTOCOL = 11n;
const CHAIN_ID_LIMIT = 50;
const HASH_BYTES = 32;
const KEY_BYTES = 32;
const ADDRESS_BYTES = 20;
const SIGNATURE_LIMIT = 96;
const VALIDATORS_LIMIT = 1_000;
const TOTAL_POWER_LIMIT = (2n ** 63n - 1n) / 8n;
const LIGHT_BLOCK_BYTES_LIMIT = 524_288;
const HEADER_BYTES_LIMIT = 4_096;
const NS = 1_000_000_000n;
const FIRST_SECOND = -62_135_596_800n;
const END_SECOND = 253_402_300_800n;
const [ABSENT, FOR_BLOCK, FOR_NONE] = [1n, 2n, 3n];

/** A light block all of whose parts are there. */
export interface Whole {
  readonly header: CometHeader;
  readonly commit: Commit;
  readonly validators: readonly Validator[];
}

/** Whether a vote is for the block. */
export function isForBlock(vote: CommitSig): boolean {
  return vote.block_id_flag === FOR_BLOCK;
}

/** A time in nanoseconds since 1970, UTC. */
export function nanoseconds(time: Timestamp | undefined): bigint {
  return time === undefined ? 0n : time.seconds * NS + time.nanos;
}

/** A time in milliseconds, rounded down. */
export function milliseconds(time: Timestamp | undefined): number {
  const found = nanoseconds(time);
  return Number((found - (((found % 1_000_000n) + 1_000_000n) % 1_000_000n)) / 1_000_000n);
}

/** A light block in base64url, well-formed. Throws VerificationError. */
export async function readLightBlock(text: string): Promise<Whole> {
  const found = wellFormed(() => {
    const bytes = limited(text, LIGHT_BLOCK_BYTES_LIMIT);
    const block = decode(LIGHT_BLOCK, bytes) as unknown as LightBlock;
    const [header, commit] = [block.signed_header?.header, block.signed_header?.commit];
    const validators = block.validator_set?.validators;
    if (header === undefined || commit === undefined || validators === undefined) {
      throw new TypeError("header, votes or validators are missing");
    }
    checkHeader(header);
    checkCommit(commit);
    return { header, commit, validators };
  });
  await checkValidators(found.validators);
  return found;
}

/** A header in base64url, well-formed. Throws VerificationError. */
export function readCometHeader(text: string): CometHeader {
  return wellFormed(() => {
    const header = decode(HEADER, limited(text, HEADER_BYTES_LIMIT)) as unknown as CometHeader;
    checkHeader(header);
    return header;
  });
}

/** Throws VerificationError for none, too many, wrong ones, or too much power. */
export async function checkValidators(validators: readonly Validator[]): Promise<void> {
  const addresses = await Promise.all(
    validators.map((one) => addressOf(one.pub_key?.ed25519 ?? new Uint8Array())),
  );
  wellFormed(() => {
    need(validators.length > 0 && validators.length <= VALIDATORS_LIMIT, "number of validators");
    let total = 0n;
    for (const [at, one] of validators.entries()) {
      const isRight =
        one.pub_key?.ed25519.length === KEY_BYTES &&
        same(one.address, addresses[at] ?? new Uint8Array());
      need(isRight, "a validator's key or address");
      need(one.voting_power >= 0n, "a validator's power is negative");
      total += one.voting_power;
    }
    need(total <= TOTAL_POWER_LIMIT, "the validators' power together is too much");
  });
}

function checkHeader(header: CometHeader): void {
  need(header.version?.block === BLOCK_PROTOCOL, "the block's form");
  need(utf8(header.chain_id).length <= CHAIN_ID_LIMIT, "the chain's id");
  need(header.height >= 1n, "the height");
  checkTime(header.time);
  checkBlockId(header.last_block_id);
  for (const hash of [
    header.last_commit_hash,
    header.data_hash,
    header.validators_hash,
    header.next_validators_hash,
    header.consensus_hash,
    header.last_results_hash,
    header.evidence_hash,
  ]) {
    checkHash(hash);
  }
  need(header.validators_hash.length === HASH_BYTES, "a header without validators");
  need(header.proposer_address.length === ADDRESS_BYTES, "the proposer's address");
}

function checkCommit(commit: Commit): void {
  need(commit.height >= 1n && commit.round >= 0n && commit.round < 2n ** 31n, "height or round");
  checkBlockId(commit.block_id);
  const parts = commit.block_id?.part_set_header;
  const isNone =
    commit.block_id?.hash.length === 0 && parts?.total === 0n && parts.hash.length === 0;
  need(!isNone, "the votes are for no block");
  const count = commit.signatures.length;
  need(count > 0 && count <= VALIDATORS_LIMIT, "number of votes");
  commit.signatures.forEach(checkVote);
}

function checkVote(vote: CommitSig): void {
  checkTime(vote.timestamp);
  if (vote.block_id_flag === ABSENT) {
    const isSilent = vote.validator_address.length === 0 && vote.signature.length === 0;
    const { seconds, nanos } = vote.timestamp ?? { seconds: 0n, nanos: 0n };
    need(isSilent && seconds === FIRST_SECOND && nanos === 0n, "an absent vote says something");
    return;
  }
  need(vote.block_id_flag === FOR_BLOCK || vote.block_id_flag === FOR_NONE, "kind of vote");
  need(vote.validator_address.length === ADDRESS_BYTES, "a voter's address");
  const length = vote.signature.length;
  need(length > 0 && length <= SIGNATURE_LIMIT, "length of a vote's signature");
}

function checkBlockId(blockId: BlockId | undefined): void {
  need(blockId?.part_set_header !== undefined, "a block's id is missing");
  checkHash(blockId?.hash ?? new Uint8Array());
  checkHash(blockId?.part_set_header?.hash ?? new Uint8Array());
  need((blockId?.part_set_header?.total ?? 0n) < 2n ** 32n, "number of parts");
}

function checkHash(hash: Bytes): void {
  need(hash.length === 0 || hash.length === HASH_BYTES, "length of a hash");
}

function checkTime(time: Timestamp | undefined): void {
  need(time !== undefined, "a time is missing");
  const { seconds, nanos } = time ?? { seconds: 0n, nanos: 0n };
  need(seconds >= FIRST_SECOND && seconds < END_SECOND, "a time beyond the years 1 to 9999");
  need(nanos >= 0n && nanos < NS, "nanoseconds");
}

function limited(text: string, limit: number): Bytes {
  const bytes = bytesOfBase64url(text);
  need(bytes.length <= limit, `more than ${limit} bytes`);
  return bytes;
}

function need(isRight: boolean, what: string): void {
  if (!isRight) throw new TypeError(what);
}

function wellFormed<Found>(read: () => Found): Found {
  try {
    return read();
  } catch (error) {
    throw new VerificationError("HEADER_IS_WRONG", String(error));
  }
}
