/**
 * Archives in the one form that a bundle has: a zip file (PKWARE APPNOTE 6.3) that stores.
 *
 * Members stand one after the other without compression, all dated 1 January 1980, none with extra
 * fields: the bytes follow from names and contents alone, and nothing in it is larger than it.
 */

import { type Bytes, joined, same, utf8 } from "./bytes.js";

const NAME = /^(?:[a-z]{1,16}\/)?[a-z0-9]{1,64}[.][a-z]{1,8}$/;
const MEMBERS_LIMIT = 20_000;
const MEMBER_BYTES_LIMIT = 33_554_432;
const BYTES_LIMIT = 268_435_456;
const [LOCAL, CENTRAL, END] = [0x04034b50, 0x02014b50, 0x06054b50];
const LOCAL_BYTES = 30;
const VERSION = 10;
const FIRST_DAY = 0x21;
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  for (let bit = 0; bit < 8; bit += 1) rest = rest & 1 ? 0xedb88320 ^ (rest >>> 1) : rest >>> 1;
  return rest;
});

/** The members of an archive by name, in their order. */
export type Members = ReadonlyMap<string, Uint8Array>;

/** The bytes of an archive. */
export function zipped(members: Members): Bytes {
  const pieces: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let place = 0;
  for (const [name, content] of members) {
    const encoded = utf8(name);
    const size = content.length;
    const fields = [
      ...[2, VERSION, 2, 0, 2, 0, 2, 0, 2, FIRST_DAY, 4, crc32(content), 4, size, 4, size],
      ...[2, encoded.length, 2, 0],
    ];
    const central = [4, CENTRAL, 2, VERSION, ...fields, 2, 0, 2, 0, 2, 0, 4, 0, 4, place];
    directory.push(packed(central), encoded);
    const piece = [packed([4, LOCAL, ...fields]), encoded, content];
    pieces.push(...piece);
    place += piece.reduce((sum, one) => sum + one.length, 0);
  }
  const listed = joined(...directory);
  const counts = [2, 0, 2, 0, 2, members.size, 2, members.size];
  const end = packed([4, END, ...counts, 4, listed.length, 4, place, 2, 0]);
  return joined(...pieces, listed, end);
}

/** The members of an archive. Throws TypeError for any other bytes. */
export function unzipped(archive: Uint8Array): Members {
  if (archive.length > BYTES_LIMIT) throw new TypeError("more than 256 MiB");
  const view = new DataView(archive.buffer, archive.byteOffset, archive.byteLength);
  const members = new Map<string, Uint8Array>();
  let place = 0;
  while (place + 4 <= archive.length && view.getUint32(place, true) === LOCAL) {
    if (archive.length < place + LOCAL_BYTES) throw new TypeError("it is cut short");
    const size = view.getUint32(place + 22, true);
    const begin = place + LOCAL_BYTES + view.getUint16(place + 26, true);
    if (size > MEMBER_BYTES_LIMIT || archive.length < begin + size) {
      throw new TypeError("a member is longer than 32 MiB, or cut short");
    }
    const name = latin(archive.subarray(place + LOCAL_BYTES, begin));
    if (!NAME.test(name)) throw new TypeError(`a member has the name ${JSON.stringify(name)}`);
    if (members.has(name)) throw new TypeError(`${name} stands in it twice`);
    if (members.size === MEMBERS_LIMIT) throw new TypeError("more than 20,000 members");
    members.set(name, archive.subarray(begin, begin + size));
    place = begin + size;
  }
  if (!same(zipped(members), archive)) {
    throw new TypeError("not in the one form: it was packed again, cut short or added to");
  }
  return members;
}

/** Little-endian numbers, each behind how many bytes it has. */
function packed(fields: readonly number[]): Uint8Array {
  const bytes: number[] = [];
  for (let at = 0; at < fields.length; at += 2) {
    const [width, value] = [fields[at] ?? 0, fields[at + 1] ?? 0];
    for (let byte = 0; byte < width; byte += 1) bytes.push((value >>> (8 * byte)) & 255);
  }
  return Uint8Array.from(bytes);
}

function latin(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes.subarray(0, 64));
}

function crc32(bytes: Uint8Array): number {
  let rest = 0xffffffff;
  for (const byte of bytes) rest = (TABLE[(rest ^ byte) & 255] ?? 0) ^ (rest >>> 8);
  return (rest ^ 0xffffffff) >>> 0;
}
