"""The shapes of identifiers, each written once. pandera anchors only the start, so each ends in `$`."""

PROFILE_ID = r"^(?:[0-9a-f]{16})$"
PAPER_ID = r"^(?:[a-z2-7]{16})$"
SLUG = r"^(?:[a-z0-9][a-z0-9-]*)$"
SHA256 = r"^(?:[0-9a-f]{64})$"
RULE_ID = r"^(?:[A-Z]{3}-[0-9]{3})$"
URL = r"^(?:[A-Za-z][A-Za-z0-9+.-]*://\S+)$"
