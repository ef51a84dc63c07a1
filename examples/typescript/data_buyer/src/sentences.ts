/** The two sentences of a receipt, made of the facts alone: docs/data-receipts.md. */

import type { Facts } from "./receipt.js";

/** The Chinese words of the page; other terms of the DPV are shown by their own name. */
const PURPOSES: Readonly<Record<string, string>> = {
  AcademicResearch: "学术研究",
  Advertising: "广告",
  CommercialResearch: "商业研究",
  CreditChecking: "信用核查",
  CustomerCare: "客户服务",
  DirectMarketing: "直接营销",
  FraudPreventionAndDetection: "欺诈的预防与发现",
  IdentityVerification: "身份核验",
  Marketing: "营销",
  NonCommercialResearch: "非商业研究",
  PersonalisedAdvertising: "个性化广告",
  PersonalisedBenefits: "个性化优惠",
  ResearchAndDevelopment: "研究与开发",
  ScientificResearch: "科学研究",
  ServiceOptimisation: "服务优化",
  ServicePersonalisation: "服务个性化",
  ServiceProvision: "提供服务",
  TargetedAdvertising: "定向广告",
};

const MODES: Readonly<Record<string, readonly [english: string, chinese: string]>> = {
  view: ["look at", "查看"],
  store: ["keep and use", "保存并使用"],
  stream: ["get each month, keep and use", "按月接收、保存并使用"],
};

function modeOf(facts: Facts): readonly [string, string] {
  const words = MODES[facts.request.mode];
  if (words === undefined) throw new Error("this mode has no words");
  return words;
}

function minute(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** What is consented to, in English. */
export function english(facts: Facts): string {
  const { request, institution } = facts;
  const term = request.purpose.replace(/^dpv:/, "");
  const words = term.replace(/([a-z])(?=[A-Z])/g, "$1 ").toLowerCase();
  const name = institution === undefined ? "" : `${institution.name} `;
  const lei = institution === undefined ? "" : `, LEI ${institution.lei}`;
  const batches = request.batches.length === 1 ? "1 batch" : `${request.batches.length} batches`;
  const fee = facts.seller === request.owner ? "" : `, ${request.fee} of it to my agent`;
  return (
    `I let ${name}(account ${request.buyer}${lei}, in ${facts.region}) ${modeOf(facts)[0]} ` +
    `the field${request.fields.length === 1 ? "" : "s"} ${request.fields.join(", ")} of ` +
    `${batches} of my rows ${request.schema}, for ${words} (${request.purpose}) and for nothing ` +
    `else. It pays ${request.price} ${request.asset}${fee}. It passes them on to nobody, and ` +
    `deletes them before ${minute(request.delete_by)}; if not, its bond of ` +
    `${facts.deletionBond} is mine. I can withdraw this until the key is published. ` +
    `Order ${facts.order} on ${request.chain}.`
  );
}

/** What is consented to, in Chinese. */
export function chinese(facts: Facts): string {
  const { request, institution } = facts;
  const term = request.purpose.replace(/^dpv:/, "");
  const name = institution === undefined ? "" : `${institution.name} `;
  const lei = institution === undefined ? "" : `, LEI ${institution.lei}`;
  const fee = facts.seller === request.owner ? "" : `，其中 ${request.fee} 归我的代理`;
  return (
    `我同意 ${name}（账户 ${request.buyer}${lei}，所在地 ${facts.region}）${modeOf(facts)[1]}` +
    `我的 ${request.schema} 数据中 ${request.batches.length} 个批次的以下字段：` +
    `${request.fields.join("、")}，仅用于${PURPOSES[term] ?? term}（${request.purpose}），` +
    `不作他用。对方支付 ${request.price} ${request.asset}${fee}。` +
    `对方不得转交他人，并须在 ${minute(request.delete_by)} 之前删除；` +
    `否则其保证金 ${facts.deletionBond} 归我。在密钥公布之前，我可以撤回。` +
    `订单 ${facts.order}，链 ${request.chain}。`
  );
}
