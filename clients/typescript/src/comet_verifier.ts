/**
 * When a header of CometBFT may be believed, by one that is believed already.
 *
 * The rules, their order and the votes that they count are those of CometBFT's light client, as the
 * ledger's own verifier has them. All times are nanoseconds since 1970, UTC.
 */

import { hexOf, joined, same, utf8 } from "./bytes.js";
import { isForBlock, nanoseconds, type Whole } from "./comet_form.js";
import { headerHash, validatorsHash } from "./comet_hashes.js";
import {
  BLOCK_ID,
  type CometHeader,
  type Commit,
  type CommitSig,
  TIMESTAMP,
  type Validator,
} from "./comet_types.js";
import { encode, type Message, part, varint } from "./protobuf.js";
import { VerificationError } from "./verification_error.js";
import { isValidVote } from "./zip215.js";

const PRECOMMIT = Uint8Array.of(0x08, 0x02);
const [HEIGHT_TAG, ROUND_TAG] = [0x11, 0x19];

/** A height that is believed, and who votes then or on the next one. */
export interface Trusted {
  readonly chain: string;
  readonly height: bigint;
  readonly time: bigint;
  /** The header's hash in hex, empty where only the genesis file is known. */
  readonly hash: string;
  readonly validators: readonly Validator[];
  readonly nextHash: Uint8Array;
}

/** The clock, the trusting period, and how far a header may lie ahead. */
export interface Terms {
  readonly now: bigint;
  readonly period: bigint;
  readonly drift: bigint;
}

/** Trust one more block, the next or a later one. Throws VerificationError. */
export async function follow(trusted: Trusted, block: Whole, terms: Terms): Promise<Trusted> {
  const { header, commit, validators } = block;
  const hash = hexOf(await headerHash(header));
  if (trusted.time + terms.period <= terms.now) throw new VerificationError("TRUST_IS_OLD");
  if (trusted.hash !== "" && trusted.hash === hash) {
    if (!same(await validatorsHash(validators), header.validators_hash)) {
      throw new VerificationError("VALIDATORS_ARE_OTHERS");
    }
    return trusted;
  }
  await checkNew(trusted, block, hash, terms);
  const votes = new Votes(trusted.chain, commit);
  if (header.height === trusted.height + 1n) {
    if (!same(header.validators_hash, trusted.nextHash)) {
      throw new VerificationError("VALIDATORS_ARE_OTHERS", "than the header before it names");
    }
  } else {
    await checkTrust(trusted.validators, commit, votes);
  }
  await checkMajority(validators, commit, votes);
  return {
    chain: header.chain_id,
    height: header.height,
    time: nanoseconds(header.time),
    hash,
    validators,
    nextHash: header.next_validators_hash,
  };
}

async function checkNew(
  trusted: Trusted,
  { header, commit, validators }: Whole,
  hash: string,
  terms: Terms,
): Promise<void> {
  if (header.chain_id !== trusted.chain) {
    throw new VerificationError("CHAIN_IS_ANOTHER", `${header.chain_id}, not ${trusted.chain}`);
  }
  const named = hexOf(commit.block_id?.hash ?? new Uint8Array());
  if (commit.height !== header.height || named !== hash) {
    throw new VerificationError("BLOCK_IS_ANOTHER", "the votes are on another block");
  }
  checkLater(trusted, header, terms);
  if (!same(header.validators_hash, await validatorsHash(validators))) {
    throw new VerificationError("VALIDATORS_ARE_OTHERS", `at height ${header.height}`);
  }
  if (validators.length !== commit.signatures.length) {
    throw new VerificationError("HEADER_IS_WRONG", "there is not one vote for each validator");
  }
}

function checkLater(trusted: Trusted, header: CometHeader, terms: Terms): void {
  const time = nanoseconds(header.time);
  const isLater = trusted.hash === "" ? time >= trusted.time : time > trusted.time;
  if (header.height <= trusted.height || !isLater) {
    throw new VerificationError("HEADER_IS_NOT_LATER", `${trusted.height} is trusted`);
  }
  if (time >= terms.now + terms.drift) throw new VerificationError("HEADER_IS_AHEAD");
}

/** More than a third of the trusted power has voted, found by address. */
async function checkTrust(
  trusted: readonly Validator[],
  commit: Commit,
  votes: Votes,
): Promise<void> {
  const total = powerOf(trusted);
  const needed = total / 3n;
  const byAddress = new Map([...trusted].reverse().map((one) => [hexOf(one.address), one]));
  const seen = new Set<string>();
  let tally = 0n;
  for (const vote of commit.signatures.filter(isForBlock)) {
    const address = hexOf(vote.validator_address);
    const known = byAddress.get(address);
    if (known === undefined) continue;
    if (seen.has(address)) throw new VerificationError("VOTES_TWICE", address);
    seen.add(address);
    await votes.check(known, vote);
    tally += known.voting_power;
    if (tally > needed) return;
  }
  throw new VerificationError("TRUST_IS_TOO_LITTLE", `${tally} of ${total}`);
}

/** More than two thirds of the header's own validators have voted, each in its place. */
async function checkMajority(
  validators: readonly Validator[],
  commit: Commit,
  votes: Votes,
): Promise<void> {
  const total = powerOf(validators);
  const needed = (total * 2n) / 3n;
  let tally = 0n;
  for (const [at, vote] of commit.signatures.entries()) {
    const validator = validators[at];
    if (validator === undefined || !isForBlock(vote)) continue;
    if (!same(vote.validator_address, validator.address)) {
      throw new VerificationError("VALIDATORS_ARE_OTHERS", "a vote stands in another's place");
    }
    await votes.check(validator, vote);
    tally += validator.voting_power;
    if (tally > needed) return;
  }
  throw new VerificationError("VOTES_ARE_TOO_FEW", `${tally} of ${total}`);
}

function powerOf(validators: readonly Validator[]): bigint {
  return validators.reduce((sum, one) => sum + one.voting_power, 0n);
}

/** The votes of one commit: all sign the same but for their time. Each is checked once. */
class Votes {
  readonly #before: Uint8Array;
  readonly #after: Uint8Array;
  readonly #checked = new Set<string>();

  constructor(chain: string, commit: Commit) {
    const block = encode(BLOCK_ID, commit.block_id as unknown as Message);
    this.#before = joined(
      PRECOMMIT,
      fixed(HEIGHT_TAG, commit.height),
      fixed(ROUND_TAG, commit.round),
      part(4, block),
    );
    this.#after = chain === "" ? new Uint8Array() : part(6, utf8(chain));
  }

  async check(validator: Validator, vote: CommitSig): Promise<void> {
    const key = validator.pub_key?.ed25519 ?? new Uint8Array();
    const time = encode(TIMESTAMP, vote.timestamp as unknown as Message);
    const signed = joined(this.#before, part(5, time), this.#after);
    const message = joined(varint(BigInt(signed.length)), signed);
    const name = [key, message, vote.signature].map(hexOf).join(".");
    if (this.#checked.has(name)) return;
    if (!(await isValidVote(key, message, vote.signature))) {
      throw new VerificationError("VOTE_IS_WRONG", hexOf(validator.address));
    }
    this.#checked.add(name);
  }
}

/** A number of 8 bytes, the lowest first; 0 is left out. */
function fixed(tag: number, value: bigint): Uint8Array {
  if (value === 0n) return new Uint8Array();
  const bytes = new DataView(new ArrayBuffer(9));
  bytes.setUint8(0, tag);
  bytes.setBigInt64(1, value, true);
  return new Uint8Array(bytes.buffer);
}
