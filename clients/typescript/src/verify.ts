/**
 * Check a proof file against a trust file, with nothing else: no node, no network.
 *
 * A header must be signed by a trusted key, or voted for by trusted validators; the row or
 * transaction must be under its roots. Whatever is wrong throws `VerificationError` with a number
 * and what to do about it.
 */

import { believed, type Believed } from "./believed.js";
import { ascii, type Bytes, bytesOfHex, sha256, textOf } from "./bytes.js";
import { areSigned, type Envelope, readEnvelope } from "./envelope.js";
import { canonicalBytes, type Json, parsed } from "./json.js";
import { isIncluded } from "./merkle.js";
import { transactionId } from "./payload.js";
import { isRowProof, readProof, readTrust } from "./proof_files.js";
import type { RowProof, TransactionProof } from "./proof_files.js";
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

/**
 * What the proof file proves to somebody who holds the trust file. Throws VerificationError.
 *
 * The period of a network's trust file is judged by the clock, or as of the time `at` in ms UTC,
 * for what was archived.
 */
export async function verify(
  proof: File,
  trust: File,
  names: Names = {},
  at = Date.now(),
): Promise<Verified> {
  const found = readProof(proof);
  const header = await believed(found, readTrust(trust), at);
  return isRowProof(found) ? row(found, header, names) : transaction(found, header);
}

/** What a row's proof says under a header that is believed. Throws VerificationError. */
export async function row(proof: RowProof, header: Believed, names: Names): Promise<Verified> {
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

/** What a transaction's proof says under a header that is believed. Throws VerificationError. */
export async function transaction(
  proof: TransactionProof,
  header: Believed,
): Promise<Verified> {
  const { envelope, wire, receipt, paths } = readable(() => parts(proof));
  if (!(await areSigned(envelope.signatures))) {
    throw new VerificationError("PROOF_IS_UNREADABLE", "a signature of the transaction is wrong");
  }
  const leaves = await header.leaves(wire, receipt, proof.receipt).catch((error: unknown) => {
    throw new VerificationError("PROOF_IS_UNREADABLE", String(error));
  });
  const [stands, says] = await Promise.all([
    isIncluded(bytesOfHex(header.transactions), leaves[0], proof.index, proof.size, paths[0]),
    isIncluded(bytesOfHex(header.receipts), leaves[1], proof.index, proof.receipts, paths[1]),
  ]);
  const more = proof.receipts - proof.size;
  const isRightCount = more >= 0 && more <= header.moreReceipts;
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

function of(header: Believed): { chain: string; height: number; time: number } {
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
