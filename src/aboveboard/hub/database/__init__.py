"""Tables, transactions and migrations of the hub, on SQLite and PostgreSQL."""
