/** Server-sent events out of a stream of bytes: just what a node's `/v1/events` writes. */

const LINE_LIMIT = 8_388_608;

/** The lines of a stream, without their ends. Throws RangeError for one without end. */
export async function* linesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const piece of piecesOf(body)) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > LINE_LIMIT) throw new RangeError("a line of the stream has no end");
    for (const line of lines) yield line.replace(/\r$/, "");
  }
  // A line that did not end was cut off, and comes again.
}

/** The pieces of a stream, as not every browser iterates over one; it is cancelled when left. */
export async function* piecesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined); // it may have broken before
  }
}

/** The data of a line, or undefined when it is none. */
export function dataOf(line: string): string | undefined {
  return line.startsWith("data:") ? line.slice(5).replace(/^ /, "") : undefined;
}
