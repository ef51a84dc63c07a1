"""Make Ed25519 keys: `python keys.py 3` prints a JSON array of private JWKs (RFC 8037)."""

import json
import sys

from joserfc.jwk import OKPKey

count = int(sys.argv[1]) if len(sys.argv) > 1 else 1
print(json.dumps([OKPKey.generate_key("Ed25519").as_dict(private=True) for _ in range(count)]))
