/** Sending as an account: nonces, expiry and signatures in one place. */

import type { Applied } from "./answers.js";
import type { Chain } from "./client.js";
import { sign } from "./envelope.js";
import { Invalid } from "./errors.js";
import type { Signer } from "./keys.js";
import { type OtherMessage, type Payload, payloadBytes } from "./payload.js";
import type { AccountOpen, Address, AssetId, Message } from "./registry.js";

/** How long a wallet's transaction may wait: an hour. */
const EXPIRES_MS = 3_600_000;

/** What else a transaction may say, and who else signs it. */
export interface Sending {
  readonly sponsor?: Address;
  readonly reference?: string;
  /** Keys that the messages ask for, such as those of a new account. */
  readonly also?: readonly Signer[];
}

/** One account with keys at hand. Many calls may be under way: each nonce is given out once. */
export class Wallet {
  #next: Promise<number> | undefined;

  /** Made by a chain's `wallet`. */
  constructor(
    readonly chain: Chain,
    readonly address: Address,
    readonly signers: readonly Signer[],
    readonly lane = 0,
  ) {}

  /** A signed transaction with the next nonce. */
  async build(messages: Payload["messages"], sending: Sending = {}): Promise<string> {
    const { also = [], ...members } = sending;
    const payload = payloadBytes({
      ...members,
      chain: this.chain.id,
      sender: this.address,
      nonce: await this.#takeNonce(),
      expires: this.chain.now() + EXPIRES_MS,
      messages,
      lane: this.lane,
    });
    return sign(payload, ...this.signers, ...also);
  }

  /** Build, submit, and wait until it is durable. Throws Refused, Invalid and more. */
  async send(message: Message | OtherMessage, sending: Sending = {}): Promise<Applied> {
    return this.sendAll([message], sending);
  }

  /** The same with several messages: all of them happen, or none. */
  async sendAll(messages: Payload["messages"], sending: Sending = {}): Promise<Applied> {
    try {
      return await this.chain.submit(await this.build(messages, sending));
    } catch (error) {
      if (error instanceof Invalid) this.forgetNonce();
      throw error;
    }
  }

  /** Ask the chain again which nonce is next: after a transaction that was invalid. */
  forgetNonce(): void {
    this.#next = undefined;
  }

  /** The id of the asset with this code that this account defines. */
  assetId(code: string): AssetId {
    return `${code}.${this.address}`;
  }

  #takeNonce(): Promise<number> {
    const taken = this.#next ?? this.chain.nextNonce(this.address, this.lane);
    const next = taken.then((nonce) => nonce + 1);
    next.catch(() => this.forgetNonce());
    this.#next = next;
    return taken;
  }
}

/** The message that opens an account for one key, which signs it too. */
export function accountOf(keyId: string): AccountOpen {
  const key = { algorithm: 1, public: keyId };
  const keys = [{ key, weight: 1 }];
  return { "@type": "account.open", keys, ordinary: 1, sensitive: 1, lanes: 1 };
}
