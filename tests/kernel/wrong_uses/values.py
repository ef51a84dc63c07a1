"""Names and numbers of one kind where another is wanted."""

from tongbao.kernel import Address, Amount, AssetId, Id, Small, Time
from tongbao.modules.asset import Define, Issue, Transfer
from tongbao.modules.hold import Capture, Place

alice = Address("a1" * 20)
hold = Id("b2" * 20)
cny = AssetId(f"CNY.{alice}")
one = Amount("1.00")

Transfer(asset=cny, amount=one, payee=alice)
Transfer(asset=cny, amount=one, payee=hold)  # expect: arg-type
Transfer(asset=cny, amount=one, payee="a1")  # expect: arg-type
Transfer(asset=alice, amount=one, payee=alice)  # expect: arg-type
Transfer(asset=cny, amount="1.00", payee=alice)  # expect: arg-type
Transfer(asset=cny, amount=1, payee=alice)  # expect: arg-type
Transfer(asset=cny, payee=alice)  # expect: call-arg
Transfer(asset=cny, amount=one, payee=alice, fee=one)  # expect: call-arg
Issue(asset=cny, amount=one, payee=alice, reference="x")  # expect: arg-type
Define(code="CNY", scale=Small(2))  # expect: arg-type
Capture(hold=hold)
Capture(hold=alice)  # expect: arg-type
Place(payee=alice, asset=cny, amount=one, expires_at=Time(1))
Place(payee=alice, asset=cny, amount=one, expires_at=1)  # expect: arg-type
one.units = 200  # expect: misc
sum_of_two: Amount = one + one  # expect: assignment
AssetId(one)  # expect: arg-type
