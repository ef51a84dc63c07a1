/**
 * Check a proof file against a trust file, with nothing else: no node, no network.
 *
 * A header's signature must be of a trusted key; the row or transaction must be under the header's
 * roots. Whatever is wrong throws `VerificationError` with a number and what to do about it.
 */

import { ascii, type Bytes, bytesOfHex, sha256, textOf } from "./bytes.js";
import { areSigned, type Envelope, readEnvelope } from "./envelope.js";
import type { Header } from "./header.js";
import { readHeader } from "./header.js";
import { canonicalBytes, type Json, parsed } from "./json.js";
import { isIncluded } from "./merkle.js";
import { transactionId } from "./payload.js";
import { isRowProof, readProof, readTrust } from "./proof_files.js";
import type { RowProof, TransactionProof, TrustFile } from "./proof_files.js";
import { checkKey, fullKey, partValue } from "./row_key.js";
import { TABLES } from "./registry.js";
import { isAbsent, isPresent } from "./trie.js";
import { VerificationError } from "./verification_error.js";

/** What a proof file proves. `value` is null when it proves that there is no such row. */
export interface Verified {
  readonly chain: string;
  readonly height: number;
  /** The block's time in ms UTC. */
  readonly time: number;
  readonly kind: "row" | "transaction";
  readonly name: string;
  readonly key: readonly (string | number)[];
  readonly value: Json;
  readonly transactionId: string | null;
  readonly receipt: Json;
}

/** A file as it came: its text, or its bytes. */
export type File = string | Uint8Array;

/** Names of tables of modules that this package does not know, by `module.table` numbers. */
export type Names = Readonly<Record<string, string>>;

/** What the proof file proves to somebody who holds the trust file. Throws VerificationError. */
export async function verify(proof: File, trust: File, names: Names = {}): Promise<Verified> {
  const found = readProof(proof);
  const header = await trustedHeader(found, readTrust(trust));
  return isRowProof(found) ? row(found, header, names) : transaction(found, header);
}

/** The header of the proof, signed by somebody trusted for its chain. */
async function trustedHeader(
  proof: RowProof | TransactionProof,
  trust: TrustFile,
): Promise<Header> {
  if (proof.engine !== trust.engine) {
    throw new VerificationError("ENGINE_IS_ANOTHER", `${proof.engine}, not ${trust.engine}`);
  }
  const { header, signer } = await readHeader(proof.header).catch((error: unknown) => {
    throw new VerificationError("HEADER_IS_WRONG", String(error));
  });
  if (!trust.keys.includes(signer)) throw new VerificationError("SIGNER_IS_NOT_TRUSTED", signer);
  if (header.chain !== trust.chain) {
    throw new VerificationError("CHAIN_IS_ANOTHER", `${header.chain}, not ${trust.chain}`);
  }
  return header;
}

async function row(proof: RowProof, header: Header, names: Names): Promise<Verified> {
  const root = bytesOfHex(header.state);
  const value = proof.value === undefined ? undefined : readable(() => canonicalBytes(proof.value));
  const path = await sha256(readable(() => fullKey(proof.module, proof.table, proof.key)));
  readable(() => checkKey(proof.module, proof.table, proof.key));
  const isProven =
    value === undefined
      ? await isAbsent(root, path, proof.proof)
      : await isPresent(root, path, await sha256(value), proof.proof);
  if (!isProven) throw new VerificationError("ROW_IS_NOT_PROVEN");
  const numbers = `${proof.module}.${proof.table}`;
  const name = TABLES[numbers] ?? names[numbers] ?? numbers;
  if (proof.name !== name) throw new VerificationError("NAME_IS_WRONG", name);
  return {
    ...of(header),
    kind: "row",
    name,
    key: proof.key.map(partValue),
    value: proof.value ?? null,
    transactionId: null,
    receipt: null,
  };
}

async function transaction(proof: TransactionProof, header: Header): Promise<Verified> {
  const { envelope, wire, receipt, paths } = readable(() => parts(proof));
  if (!(await areSigned(envelope.signatures))) {
    throw new VerificationError("PROOF_IS_UNREADABLE", "a signature of the transaction is wrong");
  }
  const [stands, says] = await Promise.all([
    isIncluded(bytesOfHex(header.transactions), wire, proof.index, proof.size, paths[0]),
    isIncluded(bytesOfHex(header.receipts), receipt, proof.index, proof.receipts, paths[1]),
  ]);
  // A block has one receipt a transaction and at most one more, for its due work.
  const isRightCount = proof.receipts === proof.size || proof.receipts === proof.size + 1;
  if (!stands || !says || !isRightCount) throw new VerificationError("TRANSACTION_IS_NOT_PROVEN");
  return {
    ...of(header),
    kind: "transaction",
    name: "transaction",
    key: [],
    value: readable(() => parsed(textOf(envelope.payload))),
    transactionId: await transactionId(envelope.payload),
    receipt: proof.receipt,
  };
}

interface Parts {
  readonly envelope: Envelope;
  readonly wire: Bytes;
  readonly receipt: Bytes;
  readonly paths: readonly [Bytes[], Bytes[]];
}

function parts(proof: TransactionProof): Parts {
  return {
    envelope: readEnvelope(proof.transaction),
    wire: ascii(proof.transaction),
    receipt: canonicalBytes(proof.receipt),
    paths: [proof.transaction_path.map(bytesOfHex), proof.receipt_path.map(bytesOfHex)],
  };
}

function of(header: Header): { chain: string; height: number; time: number } {
  return { chain: header.chain, height: header.height, time: header.time };
}

/** What `read` gives; whatever it throws means that the file is no proof. */
function readable<Read>(read: () => Read): Read {
  try {
    return read();
  } catch (error) {
    throw new VerificationError("PROOF_IS_UNREADABLE", String(error));
  }
}
