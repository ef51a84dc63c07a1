/**
 * Check an audit bundle against a trust file, with nothing else: no node, no network.
 *
 * Everything that can be computed is computed again. Whatever differs throws `VerificationError`
 * with the number that the ledger's own verifier gives it.
 */

import { type Believe, type Believed, believing, trustIn } from "./believed.js";
import {
  type BlockMember,
  readBlock,
  blockName,
  type BundleLine,
  type BundleStatement,
  csvOf,
  decimalsOf,
  type InBlock,
  type Manifest,
  readManifest,
  NAMES,
  namesOf,
  readRow,
  readStatement,
  unitsOf,
} from "./bundle_form.js";
import { type Moved, movedIn } from "./bundle_movements.js";
import { bytesOfHex, hexOf, sha256, textOf } from "./bytes.js";
import { canonical, canonicalBytes, isObject, type Json, type JsonObject, parsed } from "./json.js";
import { isIncluded } from "./merkle.js";
import { isSoloTrust, readTrust, type RowProof, type TrustFile } from "./proof_files.js";
import { type Finding, VerificationError } from "./verification_error.js";
import { type File, row, transaction, type Verified } from "./verify.js";
import { type Members, unzipped } from "./zip_form.js";

const FORMAT = 1;
const KIND = "tongbao-bundle";

/** What a bundle proves: all that `statement` says, but for its `unproven` movements. */
export interface VerifiedBundle {
  readonly statement: BundleStatement;
  readonly engine: string;
  /** The block after which the holding is proven, and its time in ms UTC. */
  readonly height: number;
  readonly time: number;
  /** How many movements are proven, and how many are the node's word. */
  readonly proven: number;
  readonly unproven: number;
}

/** How a bundle is judged. */
export interface Judging {
  /** The time in ms UTC by which a network's trust file is judged; by default the clock's. */
  readonly at?: number;
  /** Take movements that have no proof, rather than refuse the bundle. */
  readonly partly?: boolean;
}

/** Where a proven movement stands, and all that the statement must say of it. */
type Place = readonly [time: number, height: number, index: number, id: string, moved: Moved];

/** What a bundle proves to somebody who holds the trust file. Throws VerificationError. */
export async function verifyBundle(
  bundle: Uint8Array,
  trust: File,
  { at = Date.now(), partly = false }: Judging = {},
): Promise<VerifiedBundle> {
  const members = await membersOf(bundle);
  const statement = read(members, NAMES.statement, readStatement);
  if (statement.format !== FORMAT) fail("BUNDLE_IS_UNREADABLE", `format ${statement.format}`);
  const lines = [...statement.movements, ...statement.since];
  checkNames(members, lines);
  const trusted = readTrust(trust);
  const believe = await believing(trusted, at);
  const found: Place[] = [];
  for (const name of members.keys()) {
    if (name.startsWith("blocks/")) found.push(...(await moved(name, members, statement, believe)));
  }
  const holding = read(members, NAMES.holding, readRow);
  const header = await believe(holding);
  await checkTrust(members, trusted, holding);
  checkManifest(members, trusted.engine, statement);
  const decimals = await checkRows(members, statement, header, holding);
  checkLines(statement, lines, found, header);
  checkSums(statement, lines, decimals);
  if (text(members, NAMES.csv) !== csvOf(statement)) wrong(`${NAMES.csv} is not of the statement`);
  const unproven = unprovenOf(lines, trusted.engine);
  if (unproven > 0 && !partly) fail("MOVEMENT_IS_NOT_PROVEN", `${unproven} of them`);
  const { height, time } = header;
  return { statement, engine: trusted.engine, height, time, proven: found.length, unproven };
}

/**
 * Whether a bundle agrees with the holding that an earlier one has proven: then whatever it leaves
 * out after the block of that holding adds up to nothing. Throws VerificationError.
 */
export function checkJoined(earlier: VerifiedBundle, later: VerifiedBundle): void {
  const [before, said] = [earlier.statement, later.statement];
  const of = ({ chain, account, asset }: BundleStatement): string =>
    canonical([chain, account, asset]);
  if (of(said) !== of(before) || later.height < earlier.height) {
    fail("BUNDLES_DO_NOT_JOIN", "it is of another account, or earlier");
  }
  const known = [...said.movements, ...said.since].filter((line) => line.time <= earlier.time);
  const balance = known.at(-1)?.balance ?? said.opening;
  if (balance === before.holding) return;
  if (said.from > earlier.time + 1) {
    const detail = `it begins at ${said.from}: ask for one from ${earlier.time + 1} on`;
    fail("BUNDLES_ARE_APART", detail);
  }
  fail("BUNDLES_DO_NOT_JOIN", `${balance}, not ${before.holding}`);
}

function fail(finding: Finding, detail = ""): never {
  throw new VerificationError(finding, detail);
}

function wrong(detail: string): never {
  fail("STATEMENT_IS_WRONG", detail);
}

async function membersOf(bundle: Uint8Array): Promise<Members> {
  const members = readable("the archive", () => unzipped(bundle));
  const { members: listed } = read(members, NAMES.manifest, readManifest);
  const others = [...members].filter(([name]) => name !== NAMES.manifest);
  const given: Manifest["members"] = await Promise.all(
    others.map(async ([name, content]) => {
      return { name, bytes: content.length, sha256: hexOf(await sha256(content)) };
    }),
  );
  if (canonical(listed) !== canonical(given)) fail("BUNDLE_IS_ALTERED");
  return members;
}

/** A member in its one form. */
function read<Found>(members: Members, name: string, as: (value: Json) => Found): Found {
  const content = members.get(name);
  if (content === undefined) fail("BUNDLE_IS_UNREADABLE", `${name} is missing`);
  return readable(name, () => {
    const written = textOf(content);
    const value = parsed(written);
    if (canonical(value) !== written) throw new TypeError("not in RFC 8785 form");
    return as(value);
  });
}

function readable<Found>(name: string, attempt: () => Found): Found {
  try {
    return attempt();
  } catch (error) {
    return fail("BUNDLE_IS_UNREADABLE", `${name}: ${String(error)}`);
  }
}

function text(members: Members, name: string): string {
  try {
    return textOf(members.get(name) ?? new Uint8Array());
  } catch {
    return "";
  }
}

function checkNames(members: Members, lines: readonly BundleLine[]): void {
  if (canonical([...members.keys()]) !== canonical(namesOf(lines))) {
    fail("BUNDLE_IS_UNREADABLE", "its members are not those that its movements need");
  }
}

async function checkTrust(members: Members, trust: TrustFile, proof: RowProof): Promise<void> {
  const content = members.get(NAMES.trust) ?? new Uint8Array();
  const found = canonical(readTrust(content));
  const expected = isSoloTrust(trust) ? trust : await trustIn(proof);
  const written = text(members, NAMES.trust);
  if (found !== written || canonical(expected) !== written) fail("TRUST_IS_ANOTHER");
}

function checkManifest(members: Members, engine: string, statement: BundleStatement): void {
  const found = read(members, NAMES.manifest, readManifest);
  const said = [found.format, found.kind, found.engine, found.chain];
  if (canonical(said) !== canonical([FORMAT, KIND, engine, statement.chain])) {
    fail("BUNDLE_IS_ALTERED");
  }
}

/** The movements that a block's member proves, in their order. */
async function moved(
  name: string,
  members: Members,
  statement: BundleStatement,
  believe: Believe,
): Promise<Place[]> {
  const block = read(members, name, readBlock);
  const header = await believe(block);
  if (blockName(header.height) !== name || header.chain !== statement.chain) {
    wrong(`${name} is about block ${header.height} of ${header.chain}`);
  }
  const found: Place[] = [];
  let last = -1;
  for (const part of block.transactions) {
    if (part.index <= last) fail("BUNDLE_IS_UNREADABLE", "transactions ascend by index");
    last = part.index;
    const proven = await transaction(proofOf(block, part), header);
    found.push(...ofTransaction(proven, part, statement));
  }
  if (block.due !== undefined) found.push(...(await ofDue(block, header, statement)));
  return found;
}

function proofOf(block: BlockMember, part: InBlock): Parameters<typeof transaction>[0] {
  const { engine, header, size, receipts, block: before } = block;
  return { engine, header, size, receipts, block: before ?? null, ...part };
}

function ofTransaction(proven: Verified, part: InBlock, statement: BundleStatement): Place[] {
  const { account, asset } = statement;
  const found = movedIn(proven.receipt as JsonObject, proven.value as JsonObject, account, asset);
  if (found.length === 0) fail("BUNDLE_IS_UNREADABLE", "a transaction moved nothing here");
  const { time, height, transactionId } = proven;
  return found.map((one) => [time, height, part.index, transactionId ?? "", one]);
}

async function ofDue(
  block: BlockMember,
  header: Believed,
  statement: BundleStatement,
): Promise<Place[]> {
  if (header.moreReceipts !== 1 || block.receipts !== block.size + 1 || block.due === undefined) {
    fail("BUNDLE_IS_UNREADABLE", "due work has no receipt there");
  }
  const { receipt } = block.due;
  const [root, leaf] = [bytesOfHex(header.receipts), canonicalBytes(receipt)];
  const path = block.due.receipt_path.map(bytesOfHex);
  const isDue = isObject(receipt) && !("outcome" in receipt);
  if (!isDue || !(await isIncluded(root, leaf, block.size, block.receipts, path))) {
    fail("TRANSACTION_IS_NOT_PROVEN", "due work");
  }
  const found = movedIn(receipt, undefined, statement.account, statement.asset);
  if (found.length === 0) fail("BUNDLE_IS_UNREADABLE", "due work moved nothing here");
  return found.map((one) => [header.time, header.height, block.size, "", one]);
}

/** The holding at the end is the proven one; gives the asset's proven decimals. */
async function checkRows(
  members: Members,
  statement: BundleStatement,
  header: Believed,
  holding: RowProof,
): Promise<number> {
  const definition = read(members, NAMES.definition, readRow);
  const place = ({ engine, header: under, state, block }: RowProof): string =>
    canonical([engine, under, state ?? null, block ?? null]);
  if (place(definition) !== place(holding) || definition.blocks !== undefined) {
    wrong("the rows are of two blocks");
  }
  const held = await row(holding, header, {});
  const defined = await row(definition, header, {});
  const { account, asset } = statement;
  if (held.name !== "asset.holdings" || canonical(held.key) !== canonical([account, asset])) {
    wrong(`${NAMES.holding} is of another row`);
  }
  const isAsset = canonical(defined.key) === canonical([asset]);
  if (defined.name !== "asset.definitions" || !isAsset || !isObject(defined.value)) {
    wrong(`${NAMES.definition} is of another row`);
  }
  if (header.chain !== statement.chain || header.height !== statement.height) {
    wrong(`the rows are of block ${header.height} of ${header.chain}`);
  }
  const decimals = Number(defined.value["scale"]);
  const nothing = decimals === 0 ? "0" : `0.${"0".repeat(decimals)}`;
  const amount = isObject(held.value) ? held.value["amount"] : nothing;
  if (statement.holding !== amount) wrong(`the holding is ${String(amount)}`);
  return decimals;
}

/** Each movement with a proof is in a receipt, and each of these receipts' in the statement. */
function checkLines(
  statement: BundleStatement,
  lines: readonly BundleLine[],
  found: readonly Place[],
  header: Believed,
): void {
  const said = lines.filter((line) => line.unproven === undefined).map(placeOf);
  if (canonical(said) !== canonical(found)) wrong("its movements are not those of the receipts");
  const isAscending = lines.every((line, at) => at === 0 || isBefore(lines[at - 1] ?? line, line));
  if (!isAscending) wrong("movements ascend by block, transaction and place");
  const { from, to, movements, since } = statement;
  if (!(from <= to && to <= header.time + 1)) wrong("the period ends after the holding's block");
  if (!movements.every(({ time }) => from <= time && time < to)) wrong("one is not of the period");
  if (!since.every(({ time }) => to <= time && time <= header.time)) wrong("one is not of since");
}

function placeOf(line: BundleLine): Place {
  const { place, way, amount } = line;
  const [counterparty, reference] = [line.counterparty ?? null, line.reference ?? null];
  const moved = { place, way, amount, counterparty, reference };
  return [line.time, line.height, line.index, line.id ?? "", moved];
}

function isBefore(left: BundleLine, right: BundleLine): boolean {
  if (left.height !== right.height) return left.height < right.height;
  return left.index !== right.index ? left.index < right.index : left.place < right.place;
}

/** Balances and totals follow from the opening and the movements, up to the holding. */
function checkSums(
  statement: BundleStatement,
  lines: readonly BundleLine[],
  decimals: number,
): void {
  const { opening, total_in, total_out, closing, holding, movements, since } = statement;
  const moved = lines.flatMap((line) => [line.amount, line.balance]);
  const all = [opening, total_in, total_out, closing, holding, ...moved];
  if (all.some((one) => decimalsOf(one) !== decimals)) wrong(`amounts have ${decimals} decimals`);
  const sum = (way: string): bigint =>
    movements.reduce((so, line) => so + (line.way === way ? unitsOf(line.amount) : 0n), 0n);
  if (sum("in") !== unitsOf(total_in) || sum("out") !== unitsOf(total_out)) {
    wrong("the totals are not the sums of the movements");
  }
  checkBalances(movements, unitsOf(opening), unitsOf(closing));
  checkBalances(since, unitsOf(closing), unitsOf(holding));
}

function checkBalances(lines: readonly BundleLine[], before: bigint, after: bigint): void {
  let balance = before;
  for (const line of lines) {
    balance += line.way === "in" ? unitsOf(line.amount) : -unitsOf(line.amount);
    if (balance !== unitsOf(line.balance)) wrong(`the balance in block ${line.height}`);
  }
  if (balance !== after) wrong("the closing balance does not follow from the movements");
}

/**
 * How many movements have no proof; why must be possible under the engine.
 *
 * A node has no bodies of old blocks only: pruned is what lies before all that is proven. A
 * transaction that is shown has no movement but those of its receipt.
 */
function unprovenOf(lines: readonly BundleLine[], engine: string): number {
  const found = lines.filter((line) => line.unproven !== undefined);
  const proven = lines.filter((line) => line.unproven === undefined);
  const shown = new Set(proven.map(({ height, index }) => `${height}.${index}`));
  const first = proven[0]?.height ?? Infinity;
  for (const { unproven, id, height, index } of found) {
    if (unproven === "pruned" && height >= first) {
      wrong(`an unproven movement of block ${height}: ${first} is not pruned`);
    }
    if (shown.has(`${height}.${index}`)) {
      wrong(`an unproven movement of ${height}.${index}, whose receipt is shown`);
    }
    if (unproven === "due_work" && (engine !== "cometbft" || id !== undefined)) {
      wrong(`due work of block ${height} can be proven`);
    }
  }
  return found.length;
}
