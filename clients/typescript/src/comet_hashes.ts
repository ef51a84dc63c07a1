/** The hashes that a header of CometBFT is made of: RFC 6962 trees of SHA-256. */

import { type Bytes, compared, joined, sha256, utf8 } from "./bytes.js";
import {
  BLOCK_ID,
  type CometHeader,
  RESULT,
  SIMPLE_VALIDATOR,
  TIMESTAMP,
  type Validator,
  VERSION,
} from "./comet_types.js";
import { root } from "./merkle.js";
import { encode, type Message, part, varint } from "./protobuf.js";

const ADDRESS_BYTES = 20;
const APP_DOMAIN = utf8("tongbao/app/1");
const VALUE_NUMBER = Uint8Array.of(0x08);

/** The hash by which votes and the next header name a block. */
export async function headerHash(header: CometHeader): Promise<Bytes> {
  return root([
    encode(VERSION, header.version as Message),
    value(utf8(header.chain_id)),
    header.height === 0n ? new Uint8Array() : joined(VALUE_NUMBER, varint(header.height)),
    encode(TIMESTAMP, header.time as unknown as Message),
    encode(BLOCK_ID, header.last_block_id as unknown as Message),
    ...[
      header.last_commit_hash,
      header.data_hash,
      header.validators_hash,
      header.next_validators_hash,
      header.consensus_hash,
      header.app_hash,
      header.last_results_hash,
      header.evidence_hash,
      header.proposer_address,
    ].map(value),
  ]);
}

/** The root over keys and powers, in the order that they have. */
export function validatorsHash(validators: readonly Validator[]): Promise<Bytes> {
  return root(validators.map((one) => encode(SIMPLE_VALIDATOR, one as unknown as Message)));
}

/** The application hash of a state root. */
export function appHash(state: Uint8Array): Promise<Bytes> {
  return sha256(APP_DOMAIN, state);
}

/** A result's leaf: the outcome's number and the canonical receipt. */
export function resultLeaf(code: number, receipt: Uint8Array): Bytes {
  return encode(RESULT, { code: BigInt(code), data: receipt });
}

/** The 20 bytes by which CometBFT names the holder of a key. */
export async function addressOf(publicKey: Uint8Array): Promise<Bytes> {
  return (await sha256(publicKey)).slice(0, ADDRESS_BYTES);
}

/** A validator by its key. */
export async function validatorOf(publicKey: Bytes, power: bigint): Promise<Validator> {
  return {
    address: await addressOf(publicKey),
    pub_key: { ed25519: publicKey },
    voting_power: power,
  };
}

/** As CometBFT orders a set: the greatest power first, then by address. */
export function inOrder(validators: readonly Validator[]): readonly Validator[] {
  return [...validators].sort((one, other) => {
    if (one.voting_power !== other.voting_power) {
      return one.voting_power > other.voting_power ? -1 : 1;
    }
    return compared(one.address, other.address);
  });
}

function value(bytes: Uint8Array): Bytes {
  return bytes.length === 0 ? new Uint8Array() : part(1, bytes);
}
