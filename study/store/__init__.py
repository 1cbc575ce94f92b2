"""The study's database: tables, migrations and transactions."""
