// The frozen files that the ledger's own tests use, and ways to spoil what is in them.
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = new URL("../../../", import.meta.url);

/** A golden file of the project. */
export function golden(name) {
  return JSON.parse(readFileSync(new URL(`tests/golden/${name}.json`, root), "utf8"));
}

const place = process.env.TONGBAO_VECTORS || "../shared/vectors";
const folder = resolve(fileURLToPath(root), place);

/** Why a test can't run without the vectors, which fails it in CI; false when they are there. */
export const lacksVectors =
  !existsSync(folder) && process.env.CI !== "true"
    ? `NOT TESTED against the world: ${folder} is not there; set TONGBAO_VECTORS to the vectors`
    : false;

/** A file of other people's vectors: of TONGBAO_VECTORS, or beside the project. */
export function vectors(name) {
  return JSON.parse(readFileSync(`${folder}/${name}`, "utf8"));
}

/** Every copy of a JSON value in which one member or element is changed, left out or added. */
export function* spoiled(value, path = "") {
  if (Array.isArray(value)) {
    yield [`${path}[+]`, [...value, value.at(-1) ?? "x"]];
    if (value.length > 0) yield [`${path}[-]`, value.slice(0, -1)];
    for (const [at, part] of value.entries()) {
      for (const [where, other] of spoiled(part, `${path}[${at}]`)) {
        yield [where, value.with(at, other)];
      }
    }
  } else if (value !== null && typeof value === "object") {
    yield [`${path}.surprise`, { ...value, surprise: 1 }];
    for (const [name, part] of Object.entries(value)) {
      const { [name]: gone, ...rest } = value;
      yield [`${path}.${name} left out`, rest];
      for (const [where, other] of spoiled(part, `${path}.${name}`)) {
        yield [where, { ...value, [name]: other }];
      }
    }
  } else {
    for (const other of others(value)) yield [`${path} = ${JSON.stringify(other)}`, other];
  }
}

function others(value) {
  return candidates(value).filter((other) => other !== value);
}

function candidates(value) {
  const wrong = [null, [], {}, true];
  if (typeof value === "number") return [...wrong, value + 1, value - 1, -1, 0.5, String(value)];
  if (typeof value !== "string") return wrong;
  const middle = Math.floor(value.length / 2);
  const letter = value[middle] === "1" ? "2" : "1";
  const changed = value.slice(0, middle) + letter + value.slice(middle + 1);
  const capitals = value.toUpperCase() === value ? [] : [value.toUpperCase()];
  return [...wrong, 7, `${value} `, value.slice(1), changed, ...capitals];
}
