"""The hub: the center as a service. Organisations hold their rounds over HTTP.

One folder per subject: `database` (tables, migrations), `organizations` (invitations, keys),
`collaborations` (the log and the round, step by step), `jobs` (the worker and its child), `api`
(HTTP), `members` (a member's side), `operations` (check, backup, restore). `docs/hub.md` describes
the protocol. A member's side needs nothing but the core; the rest needs `aboveboard[hub]`.
"""
