/** The header of a solo block: what one authority signs, as a JWS. */

import { textOf } from "./bytes.js";
import { areSigned, readCompact } from "./envelope.js";
import { canonical, isCount, parsed, shaped, text } from "./json.js";

const TYPE = "tongbao-header+jws";
const HASH = text(/^[0-9a-f]{64}$/);
/** The form of a chain's id. */
export const CHAIN = /^[a-z][a-z0-9]{0,23}-[0-9a-f]{8}$/;

const SHAPE = {
  chain: text(CHAIN),
  height: isCount,
  time: isCount,
  previous: HASH,
  transactions: HASH,
  receipts: HASH,
  state: HASH,
};

/** What a block commits to. Hashes are SHA-256 in hex; `time` is in ms UTC. */
export interface Header {
  readonly chain: string;
  readonly height: number;
  readonly time: number;
  readonly previous: string;
  readonly transactions: string;
  readonly receipts: string;
  readonly state: string;
}

/**
 * The header in a compact JWS, and the key that signed it; whether that key may is not asked.
 *
 * Throws Error when it is not one, or the signature is wrong.
 */
export async function readHeader(jws: string): Promise<{ header: Header; signer: string }> {
  const { payload, signature } = readCompact(jws, TYPE);
  const written = textOf(payload);
  const members = shaped(parsed(written), SHAPE);
  if (canonical(members) !== written) throw new TypeError("a header is in RFC 8785 form");
  if (!(await areSigned([signature]))) throw new TypeError("the header's signature is wrong");
  return { header: members as unknown as Header, signer: signature.keyId };
}
