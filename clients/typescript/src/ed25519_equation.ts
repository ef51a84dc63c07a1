/** What WebCrypto and the library each do for `ed25519.ts`. */

/** A public key and what signs with its secret. */
export interface KeyPair {
  readonly publicKey: Uint8Array;
  /** The RFC 8032 signature of a message: 64 bytes. */
  sign(message: Uint8Array): Promise<Uint8Array>;
}

/** The equation, for keys and signatures whose form was looked at. */
export interface Equation {
  readonly name: string;
  /** Whether encode([S]B - [h]A) = R, with A on the curve. Never throws. */
  holds(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<boolean>;
  generate(): Promise<KeyPair>;
  ofSeed(seed: Uint8Array): Promise<KeyPair>;
}
