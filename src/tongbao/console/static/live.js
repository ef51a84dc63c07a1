// Keeps an open page up to date. The event stream says that there is something new; then the page
// is fetched again, and what differs is exchanged. Without this script a page only stands still.

import { morph } from "./morph.js";

const SHORTEST_MS = 1000; // between two renewals, however busy the chain is
const LONGEST_MS = 30000; // between two attempts while the node is away, or tells nothing
const main = document.querySelector("main");
const sign = document.querySelector("#live");
let stream = null;
let timer = 0;
let pause = SHORTEST_MS;
let renewed = performance.now();

function show(state) {
  const text = sign.dataset[state];
  if (sign.textContent !== text) sign.textContent = text;
  sign.classList.toggle("away", state === "reconnecting");
  sign.hidden = false;
}

/** Wait for something new after what the page shows. One event is enough: then the stream ends. */
function follow() {
  rest();
  if (main.dataset.follow === undefined) return;
  stream = new EventSource(main.dataset.follow);
  stream.addEventListener("open", () => {
    pause = SHORTEST_MS;
    show("live");
  });
  stream.addEventListener("transaction", () => later(renewed + SHORTEST_MS - performance.now()));
  stream.addEventListener("error", () => {
    show("reconnecting");
    if (stream?.readyState === EventSource.CLOSED) away();
  });
  if (main.dataset.again !== undefined) timer = setTimeout(renew, SHORTEST_MS);
}

function rest() {
  stream?.close();
  stream = null;
  clearTimeout(timer);
}

function later(ms) {
  rest();
  timer = setTimeout(renew, Math.max(0, ms));
}

function away() {
  show("reconnecting");
  later(pause);
  pause = Math.min(2 * pause, LONGEST_MS);
}

async function renew() {
  rest();
  try {
    const answer = await fetch(location.href, { headers: { accept: "text/html" } });
    if (!answer.ok && answer.status !== 404) throw new Error(answer.statusText);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const wanted = page.querySelector("main");
    if (wanted === null) throw new Error("not a page");
    morph(main, wanted);
    document.title = page.title;
  } catch {
    away();
    return;
  }
  renewed = performance.now();
  if (document.visibilityState === "visible") follow();
}

// Nobody looks at a hidden page: it costs the node nothing, and is renewed when it is seen again.
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "hidden") rest();
  else if (main.dataset.follow !== undefined) renew();
});
addEventListener("pagehide", rest);
addEventListener("pageshow", (event) => {
  if (event.persisted && main.dataset.follow !== undefined) renew();
});

follow();
