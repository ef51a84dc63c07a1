"""What users sign, what the ledger keeps, why it refuses. Wire format: append, never renumber."""

from tongbao.kernel import Count, Key, Message, PublicKey, Reason, Small, Value
from tongbao.kernel.authentication import Algorithm
from tongbao.kernel.kernel_module import FeatureNames, ModuleLines


class Schedule(Message, tag=1):
    """From a height on, modules have this code and features begin; the authority signs too."""

    authority: PublicKey
    height: Count
    modules: ModuleLines = ()
    features: FeatureNames = ()

    def also_signed_by(self) -> tuple[Key, ...]:
        """The authority's key."""
        return (ed25519_key(self.authority),)


class Cancel(Message, tag=2):
    """Take back an upgrade that has not begun; the authority signs it too."""

    authority: PublicKey
    height: Count

    def also_signed_by(self) -> tuple[Key, ...]:
        """The authority's key."""
        return (ed25519_key(self.authority),)


class Scheduling(Value):
    """The authority schedules or cancels an upgrade, for the modules above to hear."""

    authority: PublicKey


def ed25519_key(public: PublicKey) -> Key:
    """A key as envelopes name it."""
    return Key(algorithm=Small(Algorithm.ED25519.value), public=public)


class Why(Reason):
    """Every refusal of this module; what an upgrade may say is for the kernel to refuse."""

    SIGNER_IS_NOT_AUTHORITY = 1, "the authority is a key that genesis lets sign blocks"
