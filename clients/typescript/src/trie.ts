/**
 * Proofs about the state root: that a row is in the state, or that no row has a path.
 *
 * The state is a compact 4-ary trie over 32-byte paths, two bits a level, the most significant
 * first; H is SHA-256:
 *
 *     no row           32 zero bytes
 *     one row          H(0x00 || path || H(value)), at whatever depth it stands alone
 *     two or more      H(0x01 || child 0 || child 1 || child 2 || child 3)
 *
 * A leaf's hash names its whole path but not its depth, so a leaf that hangs where its path does
 * not lead is refused; so is every second spelling of a proof.
 */

import { type Bytes, bytesOfHex, hexOf, joined, same, sha256 } from "./bytes.js";

/** A walk along one path from the root to a lone row or an empty slot. Hashes in hex, or "". */
export interface TrieProof {
  readonly steps: readonly (readonly string[])[];
  readonly leaf_path?: string | null;
  readonly leaf_value_hash?: string | null;
}

const EMPTY = new Uint8Array(32);
const LEVELS = 128;
const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);
const HASH = /^[0-9a-f]{64}$/;

/** Whether `proof` shows that the state under `root` has this row. */
export async function isPresent(
  root: Uint8Array,
  path: Uint8Array,
  valueHash: Uint8Array,
  proof: TrieProof,
): Promise<boolean> {
  if (path.length !== 32 || valueHash.length !== 32) return false;
  if (proof.leaf_path !== hexOf(path) || proof.leaf_value_hash !== hexOf(valueHash)) return false;
  return leadsTo(root, path, proof);
}

/** Whether `proof` shows that the state under `root` has no row at `path`. */
export async function isAbsent(
  root: Uint8Array,
  path: Uint8Array,
  proof: TrieProof,
): Promise<boolean> {
  if (path.length !== 32 || proof.leaf_path === hexOf(path)) return false;
  return leadsTo(root, path, proof);
}

/** Whether a trie that `proof` could come from has this root. */
async function leadsTo(root: Uint8Array, path: Uint8Array, proof: TrieProof): Promise<boolean> {
  const { steps } = proof;
  if (steps.length > LEVELS) return false;
  let current = await endOf(path, proof);
  if (current === undefined) return false;
  for (let level = steps.length - 1; level >= 0; level -= 1) {
    const children = siblingsOf(steps[level] ?? []);
    if (children === undefined) return false;
    // A lone row, or none, hangs directly below a node only beside another row.
    if (level === steps.length - 1 && children.every((one) => same(one, EMPTY))) return false;
    children.splice(digit(path, level), 0, current);
    current = await sha256(NODE, joined(...children));
  }
  return same(current, root);
}

/** The hash at the end of the walk; undefined if malformed or not on the way of `path`. */
async function endOf(path: Uint8Array, proof: TrieProof): Promise<Bytes | undefined> {
  const leafPath = proof.leaf_path ?? undefined;
  const valueHash = proof.leaf_value_hash ?? undefined;
  if (leafPath === undefined && valueHash === undefined) return EMPTY;
  if (!HASH.test(leafPath ?? "") || !HASH.test(valueHash ?? "")) return undefined;
  const leaf = bytesOfHex(leafPath ?? "");
  for (let level = 0; level < proof.steps.length; level += 1) {
    if (digit(leaf, level) !== digit(path, level)) return undefined;
  }
  return sha256(LEAF, leaf, bytesOfHex(valueHash ?? ""));
}

/** The three hashes of a step; undefined if it is spelled in any other way than ours. */
function siblingsOf(step: readonly string[]): Bytes[] | undefined {
  if (step.length !== 3) return undefined;
  const found = step.map((hash) => (hash === "" ? EMPTY : hashOf(hash)));
  const hashes = found.filter((hash) => hash !== undefined);
  return hashes.length === step.length ? hashes : undefined;
}

/** The bytes of a hash in hex; zeros would be a second spelling of an empty subtree. */
function hashOf(hex: string): Bytes | undefined {
  if (!HASH.test(hex)) return undefined;
  const bytes = bytesOfHex(hex);
  return same(bytes, EMPTY) ? undefined : bytes;
}

/** The child, 0 to 3, that a path takes below a node of this level; the root is level 0. */
function digit(path: Uint8Array, level: number): number {
  return ((path[level >> 2] ?? 0) >> (6 - 2 * (level & 3))) & 3;
}
