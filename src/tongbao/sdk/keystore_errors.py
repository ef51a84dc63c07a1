"""What can be wrong with kept keys. Each error has a code and says what to do."""


class KeystoreError(Exception):
    """A key that can't be had or kept; the text says what to do, and never holds a secret."""

    exit_code = 77
    code = "keystore_error"


class WrongPassphrase(KeystoreError):
    """The file does not open: the passphrase is another one, or somebody changed the file."""

    code = "wrong_passphrase"


class KeyNotFound(KeystoreError):
    """There is no key of this name."""

    code = "key_not_found"


class KeyExists(KeystoreError):
    """There is a key of this name; it is never overwritten."""

    code = "key_exists"


class BadKeyFile(KeystoreError):
    """A file that is not a key file of this version, or asks for more than the limits."""

    code = "bad_key_file"


class InsecurePermissions(KeystoreError):
    """Others than the owner may read or replace the file."""

    code = "insecure_permissions"


class WeakPassphrase(KeystoreError):
    """A new passphrase of fewer than 8 characters."""

    code = "weak_passphrase"


class BadKeyName(KeystoreError):
    """A text that can't name a key."""

    code = "bad_key_name"


class TooLittleMemory(KeystoreError):
    """The system does not give the memory that the file's Argon2id parameters ask for."""

    code = "too_little_memory"
