"""Who: identity hashes and their public keys, login by possession, tokens, erasing a user."""
