"""Words that stand for what is grouped, in the numbers and in the pictures alike."""

OTHER = "other"
UNKNOWN = "unknown"
EARLIER = "earlier"
