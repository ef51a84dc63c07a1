/** The parcel by which a claim's evidence goes to an adjudicator: docs/data-services.md. */

import { type Bytes, four, hexOf, joined } from "./bytes.js";
import { H, jcs, rootOfChunks } from "./hashes.js";
import { putIntoEnvelope, sealChunks } from "./sealing.js";

/** A parcel for one reader. */
export async function sealParcel(
  kind: "batch" | "copy" | "evidence",
  context: Bytes,
  reader: Bytes,
  text: Bytes,
): Promise<Bytes> {
  const key = crypto.getRandomValues(new Uint8Array(32));
  const chunks = await sealChunks(key, context, text);
  const root = await rootOfChunks(chunks);
  const info = await H("parcel", new TextEncoder().encode(kind), context, root);
  const head = jcs({
    context: hexOf(context),
    count: chunks.length,
    envelope: hexOf(await putIntoEnvelope(reader, key, info)),
    kind,
    root: hexOf(root),
  });
  return joined(four(head.length), head, ...chunks);
}

/** What a claim rests on: `a` and the package, sealed for a member of the panel. */
export async function sealEvidence(
  order: Bytes,
  a: Bytes,
  chunks: readonly Bytes[],
  adjudicator: Bytes,
): Promise<Bytes> {
  const head = jcs({ a: hexOf(a), order: hexOf(order) });
  const text = joined(head, Uint8Array.of(0x0a), ...chunks);
  return sealParcel("evidence", joined(order, new Uint8Array(12)), adjudicator, text);
}
