/** Receipts are made anew out of the facts, and compared by bytes: docs/data-receipts.md. */

import { type Bytes, hexOf, same, utf8 } from "./bytes.js";
import { jcs, sha256 } from "./hashes.js";
import { chinese, english } from "./sentences.js";

/** What was asked for: the terms as they stand in the order, and why. */
export interface DataRequest {
  readonly asset: string;
  readonly batches: readonly string[];
  readonly buyer: string;
  readonly chain: string;
  readonly delete_by: number;
  readonly fee: string;
  readonly fields: readonly string[];
  readonly mode: string;
  readonly owner: string;
  readonly price: string;
  readonly purpose: string;
  readonly schema: string;
  readonly why: string;
}

/** All that a receipt is made of, but when it was made. */
export interface Facts {
  readonly order: string;
  readonly request: DataRequest;
  readonly requestHash: string;
  readonly offer: string;
  /** Left out where the offer is gone since: the ledger held `delete_by` to it at Seal. */
  readonly offeredRetentionMs?: number | undefined;
  readonly deletionBond: string;
  readonly region: string;
  /** Who seals: the owner, or the agent of the offer. */
  readonly seller: string;
  /** The member that the buyer's account acts for, if any. */
  readonly institution?: { readonly name: string; readonly lei: string };
}

const PREFIXES = {
  dct: "http://purl.org/dc/terms/",
  dpv: "https://w3id.org/dpv#",
  loc: "https://w3id.org/dpv/loc#",
  rdf: "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
  schema: "https://schema.org/",
  skos: "http://www.w3.org/2004/02/skos/core#",
  tongbao: "urn:tongbao:data:",
  xsd: "http://www.w3.org/2001/XMLSchema#",
};

type Members = Record<string, unknown>;

const named = (name: string): Members => ({ "@id": name });

function instant(ms: number): Members {
  return { "@type": "xsd:dateTime", "@value": new Date(ms).toISOString() };
}

function until(ms: number): Members {
  return { "@type": "dpv:UntilTimeDuration", "rdf:value": instant(ms) };
}

/** The receipt of facts that was made at a time. */
export async function receiptOf(facts: Facts, createdMs: number): Promise<Bytes> {
  const urn = `urn:tongbao:${facts.request.chain}`;
  return jcs({
    "@context": PREFIXES,
    "@id": `${urn}:receipt:${facts.order}`,
    "@type": "dpv:ConsentReceipt",
    "dct:conformsTo": named("urn:tongbao:data:receipt:1"),
    "dct:created": instant(createdMs),
    "dct:identifier": facts.order,
    "dpv:hasRecordOfActivity": {
      "@id": `${urn}:order:${facts.order}`,
      "@type": "dpv:ConsentRecord",
      "dct:identifier": facts.order,
      "dct:language": ["en", "zh-Hans"],
      "dpv:hasConsentStatus": status(facts, urn, createdMs),
      "dpv:hasDataController": controller(facts, urn),
      "dpv:hasDataSubject": party(urn, facts.request.owner, "dpv:DataSubject"),
      "dpv:hasNotice": await notice(facts),
      "dpv:hasProcess": processOf(facts, urn),
      "tongbao:chain": facts.request.chain,
      "tongbao:offer": facts.offer,
      "tongbao:requestHash": facts.requestHash,
    },
  });
}

function party(urn: string, account: string, kind: string): Members {
  return { "@id": `${urn}:account:${account}`, "@type": kind, "dct:identifier": account };
}

function status(facts: Facts, urn: string, createdMs: number): Members {
  return {
    "@type": ["dpv:ConsentGiven", "dpv:ExplicitlyExpressedConsent"],
    "dpv:hasDuration": until(facts.request.delete_by),
    "dpv:hasIndicationMethod": "data.seal",
    "dpv:isIndicatedAtTime": instant(createdMs),
    "dpv:isIndicatedBy": party(urn, facts.seller, "dpv:Entity"),
  };
}

function controller(facts: Facts, urn: string): Members {
  const { institution } = facts;
  const names = institution && {
    "dpv:hasName": institution.name,
    "schema:leiCode": institution.lei,
  };
  const who = party(urn, facts.request.buyer, "dpv:DataController");
  return { ...who, "dpv:hasLocation": named(`loc:${facts.region}`), ...names };
}

async function notice(facts: Facts): Promise<Members> {
  const texts = { en: english(facts), "zh-Hans": chinese(facts) };
  const hashed = Object.entries(texts).map(async ([language, text]) => ({
    "dct:language": language,
    "tongbao:sha256": hexOf(await sha256(utf8(text))),
  }));
  return {
    "@type": "dpv:ConsentNotice",
    "dct:description": Object.entries(texts).map(([language, text]) => ({
      "@language": language,
      "@value": text,
    })),
    "dct:hasVersion": "1",
    "tongbao:texts": await Promise.all(hashed),
  };
}

function processOf(facts: Facts, urn: string): Members {
  const { request } = facts;
  const region = named(`loc:${facts.region}`);
  const uses = request.mode === "view" ? ["dpv:Consult"] : ["dpv:Store", "dpv:Use"];
  return {
    "@type": "dpv:Process",
    "dpv:hasConsentControl": {
      "@type": "dpv:WithdrawConsent",
      "dpv:isExercisedAt": named(`${urn}:order:${facts.order}`),
      "tongbao:messages": ["data.withdraw_order", "data.withdraw_offer"],
    },
    "dpv:hasJurisdiction": region,
    "dpv:hasLegalBasis": named("dpv:ExplicitlyExpressedConsent"),
    "dpv:hasPersonalData": {
      "@type": "dpv:PersonalData",
      "dct:identifier": request.schema,
      "skos:broader": named(`${urn}:schema:${request.schema}`),
      "tongbao:batches": { "@list": request.batches },
      "tongbao:fields": { "@list": request.fields },
    },
    "dpv:hasProcessing": uses.map(named),
    "dpv:hasPurpose": {
      "@type": "dpv:Purpose",
      "dct:description": request.why,
      "skos:broader": named(request.purpose),
    },
    "dpv:hasRecipient": named(`${urn}:account:${request.buyer}`),
    "dpv:hasRule": { "@type": "dpv:Prohibition", "dpv:hasProcessing": named("dpv:Share") },
    "dpv:hasStorageCondition": [
      { "@type": "dpv:StorageLocation", "dpv:hasLocation": region },
      { "@type": "dpv:StorageDuration", "dpv:hasDuration": until(request.delete_by) },
    ],
    "tongbao:mode": request.mode,
    "tongbao:offeredRetentionMs": facts.offeredRetentionMs,
    "tongbao:payment": {
      "tongbao:asset": request.asset,
      "tongbao:deletionBond": facts.deletionBond,
      "tongbao:fee": request.fee,
      "tongbao:price": request.price,
    },
  };
}

/** What only a receipt itself may know. */
interface Told {
  readonly "dct:created": { readonly "@value": string };
  readonly "dpv:hasRecordOfActivity": {
    readonly "dpv:hasProcess": { readonly "tongbao:offeredRetentionMs": number };
  };
}

/** Throw unless a receipt is that of the facts: it may only tell itself what nobody else knows. */
export async function checkReceipt(receipt: Bytes, facts: Facts): Promise<void> {
  const told = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(receipt)) as Told;
  const created = Date.parse(told["dct:created"]["@value"]);
  const { "dpv:hasProcess": process } = told["dpv:hasRecordOfActivity"];
  const offeredRetentionMs = facts.offeredRetentionMs ?? process["tongbao:offeredRetentionMs"];
  if (!same(await receiptOf({ ...facts, offeredRetentionMs }, created), receipt)) {
    throw new Error("the receipt says something else than was ordered: don't confirm");
  }
}
