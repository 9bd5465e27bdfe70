"""The desirable mechanism: efficient, truthful, voluntary, no deficit; or the proof of none."""
