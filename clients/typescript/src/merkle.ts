/** The binary hash trees of RFC 6962, section 2.1, over what a block holds and a header says. */

import { type Bytes, same, sha256 } from "./bytes.js";

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

/** Whether `path` shows that leaf `index` of the `size` leaves under `root` is `leaf`. */
export async function isIncluded(
  root: Uint8Array,
  leaf: Uint8Array,
  index: number,
  size: number,
  path: readonly Uint8Array[],
): Promise<boolean> {
  if (!(index >= 0 && index < size) || path.some((node) => node.length !== 32)) return false;
  let current = await sha256(LEAF, leaf);
  let place = index;
  let used = 0;
  for (let last = size - 1; last > 0; last = Math.floor(last / 2)) {
    const isRight = place % 2 === 1;
    // An odd last node has no sibling and is carried upward as it is.
    if (isRight || place < last) {
      const sibling = path[used];
      if (sibling === undefined) return false;
      used += 1;
      current = await sha256(NODE, ...(isRight ? [sibling, current] : [current, sibling]));
    }
    place = Math.floor(place / 2);
  }
  return used === path.length && same(current, root);
}

/** The root of these leaves in this order. */
export async function root(leaves: readonly Uint8Array[]): Promise<Bytes> {
  if (leaves.length === 0) return sha256();
  let level = await Promise.all(leaves.map((leaf) => sha256(LEAF, leaf)));
  while (level.length > 1) level = await above(level);
  return level[0] as Bytes;
}

/** The nodes of a level in pairs; an odd last one goes up as it is. */
function above(level: readonly Bytes[]): Promise<Bytes[]> {
  const pairs = Array.from({ length: Math.ceil(level.length / 2) }, (_, at) => at * 2);
  return Promise.all(
    pairs.map(async (at) => {
      const [left, right] = [level[at] as Bytes, level[at + 1]];
      return right === undefined ? left : sha256(NODE, left, right);
    }),
  );
}
