/**
 * Protobuf's wire format, as far as headers and votes of CometBFT need it, in its one spelling.
 *
 * Fields stand in the order of their numbers, defaults are left out, numbers are as short as they
 * can be. What is spelled otherwise, or has fields that are not known, is refused.
 */

import { type Bytes, joined, same, textOf, utf8 } from "./bytes.js";

/** What a field holds. Numbers are bigint: 64 bits do not fit into a number of JavaScript. */
export type Kind = "uint" | "int" | "text" | "bytes" | Fields;

/** A message's fields: name, number and kind; `many` of them may stand there. */
export type Fields = readonly Field[];

type Field = readonly [name: string, number: number, kind: Kind, many?: "many"];

/** A decoded message. A part that is not there is undefined. */
export type Message = Readonly<Record<string, unknown>>;

const VARINT = 0;
const LENGTH = 2;
const BITS = 64;
const NUMBER_BYTES = 10;

/** The bytes of a message. */
export function encode(fields: Fields, message: Message): Bytes {
  const parts: Uint8Array[] = [];
  for (const [name, number, kind, many] of fields) {
    const value = message[name];
    const values = many === undefined ? [value] : (value as readonly unknown[]);
    for (const one of values) {
      if (one === undefined || (many === undefined && isDefault(kind, one))) continue;
      parts.push(written(number, kind, one));
    }
  }
  return joined(...parts);
}

/** Read a message. Throws TypeError for any other spelling than the one. */
export function decode(fields: Fields, bytes: Uint8Array): Message {
  const message = read(fields, bytes);
  if (!same(encode(fields, message), bytes)) throw new TypeError("another spelling than the one");
  return message;
}

/** A number in as few bytes as it needs; negative ones as 64 bits of two's complement. */
export function varint(value: bigint): Bytes {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(BITS, value);
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

/** A field that holds bytes, behind its tag and length. */
export function part(number: number, content: Uint8Array): Bytes {
  return joined(varint(BigInt((number << 3) | LENGTH)), varint(BigInt(content.length)), content);
}

function isDefault(kind: Kind, value: unknown): boolean {
  if (kind === "uint" || kind === "int") return value === 0n;
  if (kind === "text") return value === "";
  return kind === "bytes" && (value as Uint8Array).length === 0;
}

function written(number: number, kind: Kind, value: unknown): Bytes {
  if (kind === "uint" || kind === "int") {
    return joined(varint(BigInt((number << 3) | VARINT)), varint(value as bigint));
  }
  if (kind === "text") return part(number, utf8(value as string));
  if (kind === "bytes") return part(number, value as Uint8Array);
  return part(number, encode(kind, value as Message));
}

function read(fields: Fields, bytes: Uint8Array): Message {
  const message: Record<string, unknown> = {};
  for (const [name, , kind, many] of fields) message[name] = many ? [] : empty(kind);
  const input = new Input(bytes);
  while (!input.isAtEnd) {
    const tag = Number(input.varint());
    const field = fields.find(([, number]) => number === tag >>> 3);
    if (field === undefined) throw new TypeError(`no field has the number ${tag >>> 3}`);
    const [name, , kind, many] = field;
    const isNumber = kind === "uint" || kind === "int";
    const isRight = (tag & 7) === (isNumber ? VARINT : LENGTH);
    if (!isRight) throw new TypeError(`${name} is of another type`);
    const value = isNumber ? number(kind, input.varint()) : inner(kind, input.part());
    if (many) (message[name] as unknown[]).push(value);
    else message[name] = value;
  }
  return message;
}

function number(kind: "uint" | "int", value: bigint): bigint {
  return kind === "int" ? BigInt.asIntN(BITS, value) : value;
}

function inner(kind: Exclude<Kind, "uint" | "int">, content: Bytes): unknown {
  if (kind === "text") return textOf(content);
  return kind === "bytes" ? content : decode(kind, content);
}

function empty(kind: Kind): unknown {
  if (kind === "uint" || kind === "int") return 0n;
  if (kind === "text") return "";
  return kind === "bytes" ? new Uint8Array() : undefined;
}

class Input {
  #at = 0;

  constructor(readonly bytes: Uint8Array) {}

  get isAtEnd(): boolean {
    return this.#at === this.bytes.length;
  }

  varint(): bigint {
    let value = 0n;
    for (let count = 0; count < NUMBER_BYTES; count += 1) {
      const byte = this.bytes[this.#at];
      if (byte === undefined) throw new TypeError("the bytes end within a number");
      this.#at += 1;
      value |= BigInt(byte & 0x7f) << BigInt(7 * count);
      if (byte < 0x80) return BigInt.asUintN(BITS, value);
    }
    throw new TypeError("a number has more than 10 bytes");
  }

  part(): Bytes {
    const length = Number(this.varint());
    if (length > this.bytes.length - this.#at) throw new TypeError("the bytes end within a field");
    const content = this.bytes.slice(this.#at, this.#at + length) as Bytes;
    this.#at += length;
    return content;
  }
}
