// The two hash trees, against the ledger's golden roots and proofs.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";

import { bytesOfHex } from "../dist/bytes.js";
import { isIncluded } from "../dist/merkle.js";
import { fullKey, partBytes } from "../dist/row_key.js";
import { isAbsent, isPresent } from "../dist/trie.js";
import { golden, spoiled } from "./golden.mjs";

const { trie, merkle } = golden("trie");
const sha256 = (...parts) => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
};

function shows(one, proof = one.proof) {
  const [root, path] = [bytesOfHex(one.root), bytesOfHex(one.path)];
  return one.value_hash === null
    ? isAbsent(root, path, proof)
    : isPresent(root, path, bytesOfHex(one.value_hash), proof);
}

test("every golden trie proof shows what it says", async () => {
  for (const one of trie.proofs) assert.ok(await shows(one), one.path);
  assert.deepEqual(
    new Set(trie.proofs.map((one) => one.shows)),
    new Set(["a row", "another row", "an empty slot"]),
  );
});

test("no golden trie proof with another hash, step or leaf shows anything", async () => {
  let tried = 0;
  for (const one of trie.proofs) {
    for (const [where, changed] of spoiled(one.proof)) {
      if (/surprise|null|\[\]|\{\}|true|= 7|steps left out/.test(where)) {
        continue; // no shape of a proof: the reader of files refuses it before
      }
      if (one.proof.steps.length > 20 && /steps\[\d+[1-9]\]/.test(where)) {
        continue; // of the longest walks, every tenth step
      }
      tried += 1;
      assert.ok(!(await shows(one, changed)), `${one.path} ${where}`);
    }
  }
  assert.ok(tried > 500, `${tried}`);
});

test("no row is hidden by the proof of another, nor shown with another value", async () => {
  const rows = trie.proofs.filter((one) => one.value_hash !== null);
  for (const row of rows) {
    const [root, path] = [bytesOfHex(row.root), bytesOfHex(row.path)];
    for (const { proof } of trie.proofs) assert.ok(!(await isAbsent(root, path, proof)));
    assert.ok(!(await isPresent(root, path, sha256("other"), row.proof)));
    assert.ok(!(await isPresent(root.slice(1), path, bytesOfHex(row.value_hash), row.proof)));
    assert.ok(!(await isPresent(root, path.slice(1), bytesOfHex(row.value_hash), row.proof)));
  }
});

test("shapes that no trie has are refused, whatever their hashes", async () => {
  const [path, value] = [sha256("path"), sha256("value")];
  const leaf = sha256(Uint8Array.of(0), path, value);
  const place = path[0] >> 6;
  const children = [0, 1, 2, 3].map((at) => (at === place ? leaf : new Uint8Array(32)));
  const root = sha256(Uint8Array.of(1), ...children);
  const named = { leaf_path: path.toString("hex"), leaf_value_hash: value.toString("hex") };
  assert.ok(await isPresent(leaf, path, value, { steps: [], ...named }));
  assert.ok(!(await isPresent(root, path, value, { steps: [["", "", ""]], ...named })));
  const longest = Array.from({ length: 129 }, () => [value.toString("hex"), "", ""]);
  assert.ok(!(await isPresent(root, path, value, { steps: longest, ...named })));
});

const leaves = (count) => Array.from({ length: count }, (_, at) => `leaf ${at}`);
const leafHash = (leaf) => sha256(Uint8Array.of(0), leaf);

function rootAndPath(hashes, index) {
  if (hashes.length === 1) return [hashes[0], []];
  let split = 1;
  while (2 * split < hashes.length) split *= 2;
  const isLeft = index < split;
  const [left, leftPath] = rootAndPath(hashes.slice(0, split), isLeft ? index : 0);
  const [right, rightPath] = rootAndPath(hashes.slice(split), isLeft ? 0 : index - split);
  const root = sha256(Uint8Array.of(1), left, right);
  return [root, isLeft ? [...leftPath, right] : [...rightPath, left]];
}

test("audit paths made by the recursive definition are accepted at their place only", async () => {
  for (const [size, root] of Object.entries(merkle.roots).map(([n, hex]) => [Number(n), hex])) {
    for (let index = 0; index < size; index += 1) {
      const [found, path] = rootAndPath(leaves(size).map(leafHash), index);
      assert.equal(found.toString("hex"), root);
      const leaf = new TextEncoder().encode(`leaf ${index}`);
      assert.ok(await isIncluded(found, leaf, index, size, path));
      for (const place of [index - 1, index + 1, size]) {
        const isElsewhere = await isIncluded(found, leaf, place, size, path);
        assert.ok(!isElsewhere, `${index} of ${size} at ${place}`);
      }
      assert.ok(!(await isIncluded(found, leaf, index, size, [...path, root])));
      assert.ok(!(await isIncluded(found, new Uint8Array(3), index, size, path)));
    }
  }
});

test("the golden audit path is accepted", async () => {
  const path = merkle["proof of 20 in 21"].map(bytesOfHex);
  const leaf = new TextEncoder().encode("leaf 20");
  assert.ok(await isIncluded(bytesOfHex(merkle.roots["21"]), leaf, 20, 21, path));
});

test("the parts of row keys are the golden bytes", () => {
  const id = (letters) => ({ id: letters.repeat(20) });
  const text = (value) => ({ text: value });
  const asset = `CNY.${"ef".repeat(20)}`;
  const keys = [
    [id("ab")],
    [text("deposit-1")],
    [{ integer: 258 }],
    [id("cd"), text(asset)],
    [id("cd"), { integer: 3 }],
    [text(asset), text("x")],
  ];
  const found = keys.map((key) => key.map((part) => Buffer.from(partBytes(part)).toString("hex")));
  assert.deepEqual(
    found.map((parts) => parts.join("")),
    golden("keys").row_keys,
  );
  assert.equal(Buffer.from(fullKey(2, 258, [text("x")])).toString("hex"), "000201027800");
});

test("what is no part of a key is refused", () => {
  const wrong = [
    {},
    { id: "zz".repeat(20) },
    { id: "AB".repeat(20) },
    { id: "ab" },
    { id: "ab".repeat(20), text: "x" },
    { text: "é" },
    { text: "a\0b" },
    { integer: -1 },
    { integer: 1.5 },
    { integer: 2 ** 53 },
  ];
  for (const part of wrong) assert.throws(() => partBytes(part), TypeError, JSON.stringify(part));
  for (const [module, table] of [[-1, 1], [1, 65_536], [0.5, 1]]) {
    assert.throws(() => fullKey(module, table, [{ text: "x" }]), TypeError);
  }
  assert.throws(() => fullKey(1, 1, []), TypeError);
});
