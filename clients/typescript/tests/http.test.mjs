// Asking and following over real connections: what is asked again, what is told, what is cut off.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";

import { Chain, Invalid, NodeError, NotFound, Refused, Unreachable } from "../dist/index.js";
import { linesOf } from "../dist/sse.js";

const HEAD = { chain: "demo-1a2b3c4d", height: 7, now: 1_790_000_000_000 };
const problem = (status, members = {}) => [
  status,
  { title: "no", type: "about:blank", ...members },
];

/** Serve what `answers` says of each path, a list of [status, JSON, headers], one a request. */
async function serving(answers, use) {
  const asked = [];
  const server = createServer((request, response) => {
    asked.push(request.url);
    const path = request.url.split("?")[0];
    const said = path === "/v1" ? [200, HEAD] : answers[path].shift();
    if (typeof said === "function") return said(request, response);
    response.writeHead(said[0], { "content-type": "application/json", ...said[2] });
    return response.end(JSON.stringify(said[1]));
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const pauses = [];
  const wait = async (ms) => void pauses.push(ms);
  const address = `http://127.0.0.1:${server.address().port}`;
  try {
    return await use(await Chain.connect(`${address}/`, { wait, attempts: 3 }), pauses, asked);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

test("what says later is asked again, after the time that it tells", async () => {
  const row = [200, { height: 7, value: { amount: "1.00" } }];
  const answers = [problem(429, {}), [503, {}, { "retry-after": "2" }], row];
  await serving({ "/v1/asset/balance": answers }, async (chain, pauses, asked) => {
    assert.deepEqual(await chain.balance("aa", "bb"), { amount: "1.00" });
    assert.deepEqual(pauses.slice(1), [0, 100, 2_000]);
    assert.equal(asked[1], "/v1/asset/balance?account=aa&asset=bb&min_height=0");
  });
});

test("what says later too often is unreachable, with what it said", async () => {
  const answers = Array(3).fill(problem(507, { title: "the disk is full" }));
  await serving({ "/v1/trust": answers }, async (chain) => {
    await assert.rejects(chain.trust(), { name: "Unreachable", message: /3 times: the disk/ });
  });
});

test("a problem becomes the error of its number and status", async () => {
  const cases = [
    [problem(409, { number: 2013, id: "ab" }), Refused, { number: 2013, transactionId: "ab" }],
    [problem(400, { number: 22 }), Invalid, { number: 22 }],
    [problem(404, { detail: "gone" }), NotFound, { message: "no: gone" }],
    [problem(400), NodeError, { message: "no" }],
    [[400, "junk"], NodeError, { message: "status 400" }],
  ];
  for (const [said, kind, members] of cases) {
    await serving({ "/v1/transactions": [said] }, async (chain) => {
      const error = await chain.submit("a.b.c").catch((caught) => caught);
      assert.ok(error instanceof kind, `${error}`);
      for (const [name, value] of Object.entries(members)) assert.equal(error[name], value);
    });
  }
});

test("pages are asked one after the other", async () => {
  const pages = [
    [200, { height: 7, rows: [{ key: 1, value: "a" }], after: "00ff" }],
    [200, { height: 7, rows: [{ key: 2, value: "b" }], after: null }],
  ];
  await serving({ "/v1/hold/held-for": pages }, async (chain, _, asked) => {
    const found = [];
    for await (const row of chain.rows("hold", "held_for", { payee: "aa" })) found.push(row.value);
    assert.deepEqual(found, ["a", "b"]);
    assert.match(asked[2], /after=00ff/);
  });
});

test("an answer without end, and one from elsewhere, are not taken", async () => {
  const endless = (_, response) => {
    const piece = Buffer.alloc(1_048_576, "x");
    const more = () => {
      while (!response.destroyed && response.write(piece));
    };
    response.on("drain", more);
    more();
  };
  const moved = [302, {}, { location: "/v1" }];
  await serving({ "/v1/trust": [endless, moved, moved, moved] }, async (chain) => {
    await assert.rejects(chain.trust(), { name: "NodeError", message: /longer than/ });
    await assert.rejects(chain.trust(), Unreachable);
  });
});

const event = (cursor) => `id: ${cursor}\nevent: transaction\ndata: {"cursor":"${cursor}"}\n\n`;

/** A stream that sends pieces of text and then ends, breaks, or stays open. */
const stream = (pieces, ending) => (request, response) => {
  response.writeHead(200, { "content-type": "text/event-stream" });
  for (const piece of pieces) response.write(piece);
  if (ending === "end") response.end();
  if (ending === "break") setImmediate(() => response.destroy());
  request.on("close", () => response.end());
};

test("a stream goes on after its last event, however it was cut off", async () => {
  const half = event("8.1").slice(0, 40);
  const answers = [
    stream([": tongbao\n\n", event("8.0"), half], "end"),
    stream([event("8.1"), event("9.0")], "break"),
    problem(503),
    stream([event("9.1")], "open"),
  ];
  await serving({ "/v1/events": answers }, async (chain, _, asked) => {
    const cursors = [];
    for await (const { cursor } of chain.follow({ type: "asset.moved" })) {
      cursors.push(cursor);
      if (cursor === "9.1") break;
    }
    assert.deepEqual(cursors, ["8.0", "8.1", "9.0", "9.1"]);
    const queries = asked.slice(2).map((path) => new URL(path, "http://x").searchParams);
    const places = queries.map((query) => query.get("after"));
    assert.deepEqual(places, ["7.999999999", "8.0", "9.0", "9.0"]);
  });
});

test("a stream that is away for too long, or does not take a filter, says so", async () => {
  const away = Array(3).fill(problem(503));
  await serving({ "/v1/events": away }, async (chain) => {
    await assert.rejects(chain.follow({ after: "7.0" }).next(), Unreachable);
  });
  await serving({ "/v1/events": [problem(400, { detail: "thing" })] }, async (chain) => {
    await assert.rejects(chain.follow({ thing: "x" }).next(), { message: "no: thing" });
  });
});

test("a stream that is open ends when it is told to stop", async () => {
  await serving({ "/v1/events": [stream([event("8.0")], "open")] }, async (chain) => {
    const stopping = new AbortController();
    const following = chain.follow({ signal: stopping.signal });
    assert.equal((await following.next()).value.cursor, "8.0");
    const next = following.next();
    stopping.abort();
    assert.deepEqual(await next, { done: true, value: undefined });
  });
});

test("lines are whole, wherever their bytes are cut", async () => {
  const bytes = new TextEncoder().encode("data: 通宝\r\n\ndata: x\nrest");
  for (let size = 1; size <= bytes.length; size += 1) {
    const body = new ReadableStream({
      start(controller) {
        for (let at = 0; at < bytes.length; at += size) {
          controller.enqueue(bytes.slice(at, at + size));
        }
        controller.close();
      },
    });
    const found = [];
    for await (const line of linesOf(body)) found.push(line);
    assert.deepEqual(found, ["data: 通宝", "", "data: x"]);
  }
});
