/** The client of a Tongbao ledger: sign, submit, follow, verify. */

export type * from "./answers.js";
export { checkJoined, type Judging, verifyBundle, type VerifiedBundle } from "./bundle.js";
export type { BundleLine, BundleStatement } from "./bundle_form.js";
export { base64urlOf, bytesOfBase64url, hexOf, bytesOfHex } from "./bytes.js";
export { type BundlePeriod, Chain, type Given, type Key as RowKey } from "./client.js";
export { decidedBy, isValid } from "./ed25519.js";
export { combine, readEnvelope, sign, type Envelope, type Signature } from "./envelope.js";
export {
  AlreadyDecided,
  Gone,
  Invalid,
  NodeError,
  NotFound,
  Refused,
  Unreachable,
} from "./errors.js";
export type { Following } from "./follow.js";
export { readHeader, type Header } from "./header.js";
export type { Options } from "./http.js";
export { canonical, type Json, type JsonObject } from "./json.js";
export { generateKey, keyOfJwk, keyOfPair, keyOfSeed, publicKeyOf, type Signer } from "./keys.js";
export { otherMessage, payloadBytes, transactionId } from "./payload.js";
export type { OtherMessage, Payload } from "./payload.js";
export * from "./registry.js";
export { SessionError, type SessionOf } from "./session.js";
export type { Outcome } from "./submit.js";
export { VerificationError, type Finding } from "./verification_error.js";
export { verify, type Names, type Verified } from "./verify.js";
export { accountOf, Wallet, type Sending } from "./wallet.js";
