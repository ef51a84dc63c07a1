"""Refusals without a reason, and reasons that are none."""

from tests.kernel.diary.rules import Why, module
from tongbao.kernel import Invalid, InvalidTransaction, Module, Reason, Refusal, require
from tongbao.modules.asset import Why as AssetWhy

require(True, Why.PAGE_NOT_FOUND)
require(True)  # expect: call-arg
require(True, "the page is there")  # expect: arg-type
require(True, 60_000_001)  # expect: arg-type
require(Why.PAGE_NOT_FOUND, True)  # expect: arg-type
require(None, Why.PAGE_NOT_FOUND)  # expect: arg-type
Refusal("the page is there")  # expect: arg-type
InvalidTransaction(Why.PAGE_NOT_FOUND)  # expect: arg-type
InvalidTransaction(Invalid.NONCE_WAS_USED)
not_ours: Why = AssetWhy.ASSET_NOT_FOUND  # expect: assignment
missing = Why.NOBODY_SAYS_THIS  # expect: attr-defined
Module(60_001, "other", reasons=Why.PAGE_NOT_FOUND)  # expect: arg-type
Module(60_001, "other", uses=(Why,))  # expect: arg-type
Module(60_001, "other", uses=("account",))  # expect: arg-type
module.parameter("words", default="3", low=1, high=3, meaning="words")  # expect: arg-type
any_reason: Reason = Why.PAGE_NOT_FOUND
