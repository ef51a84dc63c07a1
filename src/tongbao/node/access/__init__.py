"""Who calls a node, and who may read what: TLS, API keys, sessions, certificates, the policy."""
