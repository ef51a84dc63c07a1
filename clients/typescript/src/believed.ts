/** What a believed header says, whichever engine's it is: all that a proof is checked against. */

import { base64urlOf, type Bytes, bytesOfBase64url, bytesOfHex, hexOf } from "./bytes.js";
import { same, sha256 } from "./bytes.js";
import { checkValidators, milliseconds, readCometHeader, readLightBlock } from "./comet_form.js";
import { appHash, headerHash, inOrder, resultLeaf, validatorOf } from "./comet_hashes.js";
import { validatorsHash } from "./comet_hashes.js";
import type { CometHeader } from "./comet_types.js";
import { follow, type Terms, type Trusted } from "./comet_verifier.js";
import { readHeader } from "./header.js";
import { isObject, type Json } from "./json.js";
import { isRowProof, isSoloTrust, PERIOD_MS } from "./proof_files.js";
import type { AnyProof, NetworkTrust, RowProof } from "./proof_files.js";
import type { SoloTrust, TransactionProof, TrustFile } from "./proof_files.js";
import { VerificationError } from "./verification_error.js";

const NS_PER_MS = 1_000_000n;
const AHEAD_MS = 900_000n;
const CODE_LIMIT = 2 ** 32 - 1;
const STATE = /^[0-9a-f]{64}$/;

/** A block that somebody trusted stands for. Hashes are hex, `time` is ms UTC. */
export interface Believed {
  readonly chain: string;
  readonly height: number;
  readonly time: number;
  readonly state: string;
  readonly transactions: string;
  readonly receipts: string;
  /** How many receipts a block may have beyond those of its transactions. */
  readonly moreReceipts: number;
  /** The leaves of a transaction and its canonical receipt. Throws TypeError. */
  leaves(wire: Bytes, receipt: Bytes, members: Json): Promise<readonly [Bytes, Bytes]>;
}

/** What the header of a proof says, once it is trusted. Throws VerificationError. */
export async function believed(proof: AnyProof, trust: TrustFile, now: number): Promise<Believed> {
  checkEngine(proof, trust);
  return isSoloTrust(trust) ? signed(proof, trust) : voted(proof, trust, now);
}

/** What believes one header after the other. Throws VerificationError. */
export type Believe = (proof: Headed) => Promise<Believed>;

/** A row's proof, or what brings the same header along for other proofs. */
export type Headed = RowProof | Pick<TransactionProof, "engine" | "header" | "block" | "blocks">;

/** Believe several headers, heights ascending: a network's are followed one from the other. */
export async function believing(trust: TrustFile, now: number): Promise<Believe> {
  let trusted = isSoloTrust(trust) ? undefined : await trustedOf(trust);
  return async (proof) => {
    checkEngine(proof, trust);
    if (isSoloTrust(trust)) return signed(proof, trust);
    const terms = termsOf(trust, now);
    for (const text of proof.blocks ?? []) {
      trusted = await follow(trusted as Trusted, await readLightBlock(text), terms);
    }
    const block = await readLightBlock(proof.header);
    trusted = await follow(trusted as Trusted, block, terms);
    return saidBy(proof, block.header);
  };
}

/** The trust file that a network's header makes: of the block before, and who votes on it. */
export async function trustIn(proof: RowProof): Promise<NetworkTrust & { format: 1 }> {
  const { header, validators } = await readLightBlock(proof.header);
  const before = proof.block == null ? undefined : readCometHeader(proof.block);
  return {
    format: 1,
    chain: header.chain_id,
    engine: "cometbft",
    height: Number(header.height - 1n),
    time: milliseconds((before ?? header).time),
    hash: before === undefined ? "" : hexOf(await headerHash(before)),
    validators: validators.map((one) => ({
      key: base64urlOf(one.pub_key?.ed25519 ?? new Uint8Array()),
      power: Number(one.voting_power),
    })),
    period_ms: PERIOD_MS,
  };
}

function checkEngine(proof: Headed, trust: TrustFile): void {
  if (proof.engine !== trust.engine) {
    throw new VerificationError("ENGINE_IS_ANOTHER", `${proof.engine}, not ${trust.engine}`);
  }
}

/** A solo header, signed by somebody trusted for its chain. */
async function signed(proof: Headed, trust: SoloTrust): Promise<Believed> {
  const { header, signer } = await readHeader(proof.header).catch((error: unknown) => {
    throw new VerificationError("HEADER_IS_WRONG", String(error));
  });
  if (!trust.keys.includes(signer)) throw new VerificationError("SIGNER_IS_NOT_TRUSTED", signer);
  if (header.chain !== trust.chain) {
    throw new VerificationError("CHAIN_IS_ANOTHER", `${header.chain}, not ${trust.chain}`);
  }
  const state = isRowProof(proof) ? proof.state : null;
  if (state != null || proof.block != null || (proof.blocks?.length ?? 0) > 0) {
    throw new VerificationError("PROOF_IS_UNREADABLE", "members of a network's proof");
  }
  return { ...header, moreReceipts: 1, leaves: async (wire, receipt) => [wire, receipt] };
}

/** A network's header, and what it says of the block before it. */
async function voted(proof: AnyProof, trust: NetworkTrust, now: number): Promise<Believed> {
  const terms = termsOf(trust, now);
  let trusted = await trustedOf(trust);
  for (const text of proof.blocks ?? []) {
    trusted = await follow(trusted, await readLightBlock(text), terms);
  }
  const block = await readLightBlock(proof.header);
  await follow(trusted, block, terms);
  return saidBy(proof, block.header);
}

function termsOf(trust: NetworkTrust, now: number): Terms {
  return {
    now: BigInt(now) * NS_PER_MS,
    period: BigInt(trust.period_ms) * NS_PER_MS,
    drift: AHEAD_MS * NS_PER_MS,
  };
}

async function trustedOf(trust: NetworkTrust): Promise<Trusted> {
  const validators = inOrder(
    await Promise.all(
      trust.validators.map(({ key, power }) => validatorOf(bytesOfBase64url(key), BigInt(power))),
    ),
  );
  if (new Set(validators.map((one) => hexOf(one.address))).size !== validators.length) {
    throw new VerificationError("TRUST_IS_UNREADABLE", "a validator stands in it twice");
  }
  await checkValidators(validators).catch((error: unknown) => {
    throw new VerificationError("TRUST_IS_UNREADABLE", String(error));
  });
  return {
    chain: trust.chain,
    height: BigInt(trust.height),
    time: BigInt(trust.time) * NS_PER_MS,
    hash: trust.hash,
    validators,
    nextHash: await validatorsHash(validators),
  };
}

async function saidBy(proof: Headed, header: CometHeader): Promise<Believed> {
  const state = await stateOf(proof, header);
  const before = proof.block == null ? undefined : readCometHeader(proof.block);
  const named = header.last_block_id?.hash ?? new Uint8Array();
  const given = before === undefined ? new Uint8Array() : await headerHash(before);
  if (!same(named, given)) {
    throw new VerificationError("BLOCK_IS_ANOTHER", `than header ${header.height} names`);
  }
  return {
    chain: header.chain_id,
    height: Number(header.height - 1n),
    time: before === undefined ? milliseconds(header.time) : timeOf(before),
    state,
    transactions: before === undefined ? "" : hexOf(before.data_hash),
    receipts: hexOf(header.last_results_hash),
    moreReceipts: 0,
    leaves: async (wire, receipt, members) => [
      await sha256(wire),
      resultLeaf(numberOf(members), receipt),
    ],
  };
}

/** The first block bears the genesis file's time, and here is later than that. */
function timeOf(header: CometHeader): number {
  return milliseconds(header.time) + (header.last_block_id?.hash.length === 0 ? 1 : 0);
}

async function stateOf(proof: Headed, header: CometHeader): Promise<string> {
  if (!isRowProof(proof)) return "";
  const state = proof.state ?? "";
  if (!STATE.test(state)) throw new VerificationError("PROOF_IS_UNREADABLE", "state");
  if (!same(await appHash(bytesOfHex(state)), header.app_hash)) {
    throw new VerificationError("ROW_IS_NOT_PROVEN", "the state root is another");
  }
  return state;
}

function numberOf(receipt: Json): number {
  const number = isObject(receipt) ? (receipt["number"] ?? 0) : undefined;
  if (!Number.isInteger(number) || Number(number) < 0 || Number(number) > CODE_LIMIT) {
    throw new TypeError("a receipt's number is 0 to 2^32 - 1");
  }
  return number as number;
}
