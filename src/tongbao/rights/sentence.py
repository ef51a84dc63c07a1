"""The sentence that a person consents to, generated from the grant in English and in Chinese.

It has nothing that somebody else has written: the buyer's own words stand beside it, in the
receipt's purpose, so that they can't pretend to be part of it.
"""

from __future__ import annotations

import re
from typing import Final

from tongbao.rights.receipt_terms import Receipt, written

NOTICE_VERSION: Final = "1"
"""Of the wording below: whoever changes a word changes this, and keeps the old ones readable."""

PURPOSES: Final = {
    "AcademicResearch": "学术研究",
    "Advertising": "广告",
    "CommercialPurpose": "商业目的",
    "CommercialResearch": "商业研究",
    "CreditChecking": "信用核查",
    "CustomerCare": "客户服务",
    "DataAltruism": "数据利他",
    "DirectMarketing": "直接营销",
    "FraudPreventionAndDetection": "欺诈的预防与发现",
    "IdentityVerification": "身份核验",
    "ImproveExistingProductsAndServices": "改进现有产品和服务",
    "ImproveHealthcare": "改善医疗",
    "ImprovePublicServices": "改善公共服务",
    "Marketing": "营销",
    "NonCommercialResearch": "非商业研究",
    "OrganisationRiskManagement": "组织风险管理",
    "PersonalisedAdvertising": "个性化广告",
    "PersonalisedBenefits": "个性化优惠",
    "PublicBenefit": "公共利益",
    "ResearchAndDevelopment": "研究与开发",
    "ScientificResearch": "科学研究",
    "ServiceOptimisation": "服务优化",
    "ServicePersonalisation": "服务个性化",
    "ServiceProvision": "提供服务",
    "TargetedAdvertising": "定向广告",
}
"""Chinese words for terms of the DPV, which has none; others are shown by their own name."""

MODES: Final = {
    "view": ("look at", "查看"),
    "store": ("keep and use", "保存并使用"),
    "stream": ("get each month, keep and use", "按月接收、保存并使用"),
}


def english(receipt: Receipt) -> str:
    """What is consented to, in English."""
    term = receipt.purpose.removeprefix("dpv:")
    fields, batches = len(receipt.fields), len(receipt.batches)
    agent = "" if receipt.seller == receipt.owner else f", {receipt.fee} of it to my agent"
    return (
        f"I let {_who(receipt, '(account {}{}, in {})')} {MODES[receipt.mode][0]} "
        f"{'the field' if fields == 1 else 'the fields'} {', '.join(receipt.fields)} of "
        f"{'1 batch' if batches == 1 else f'{batches} batches'} of my rows {receipt.schema}, for "
        f"{_words(term)} ({receipt.purpose}) and for nothing else. "
        f"It pays {receipt.price} {receipt.asset}{agent}. "
        f"It passes them on to nobody, and deletes them before {_minute(receipt.delete_by)}; "
        f"if not, its bond of {receipt.deletion_bond} is mine. "
        f"I can withdraw this until the key is published. "
        f"Order {receipt.order} on {receipt.chain}."
    )


def chinese(receipt: Receipt) -> str:
    """What is consented to, in Chinese."""
    term = receipt.purpose.removeprefix("dpv:")
    agent = "" if receipt.seller == receipt.owner else f"，其中 {receipt.fee} 归我的代理"
    return (
        f"我同意 {_who(receipt, '（账户 {}{}，所在地 {}）')}{MODES[receipt.mode][1]}"
        f"我的 {receipt.schema} 数据中 {len(receipt.batches)} 个批次的以下字段："
        f"{'、'.join(receipt.fields)}，"
        f"仅用于{PURPOSES.get(term, term)}（{receipt.purpose}），不作他用。"
        f"对方支付 {receipt.price} {receipt.asset}{agent}。"
        f"对方不得转交他人，并须在 {_minute(receipt.delete_by)} 之前删除；"
        f"否则其保证金 {receipt.deletion_bond} 归我。在密钥公布之前，我可以撤回。"
        f"订单 {receipt.order}，链 {receipt.chain}。"
    )


def _who(receipt: Receipt, form: str) -> str:
    """The recipient: the institution where there is one, always the account and the country."""
    one = receipt.institution
    name, lei = ("", "") if one is None else (f"{one.name} ", f", LEI {one.lei}")
    return name + form.format(receipt.buyer, lei, receipt.region)


def _words(term: str) -> str:
    """A term of the DPV as words: `AcademicResearch` is `academic research`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", term).lower()


def _minute(ms: int) -> str:
    """A time to the minute, rounded down: what is promised sooner is promised."""
    return f"{written(ms)[:16].replace('T', ' ')} UTC"
