"""Messages and records that are changed, or made by the order of their fields."""

from tests.kernel.diary.rules import Leaf
from tongbao.kernel import Address, Amount, AssetId, Id
from tongbao.modules.asset import Moved, Transfer
from tongbao.modules.hold import Capture

alice = Address("a1" * 20)
hold = Id("b2" * 20)
cny = AssetId(f"CNY.{alice}")
one = Amount("1.00")

Transfer(cny, one, alice)  # expect: call-arg
Leaf(alice)  # expect: call-arg
Moved(cny, one)  # expect: call-arg
Capture(hold=hold).hold = hold  # expect: misc
Leaf(writer=alice).writer = alice  # expect: misc
Moved(asset=cny, amount=one).payee = alice  # expect: misc
