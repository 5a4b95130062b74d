"""SQLAlchemy Core on SQLite and PostgreSQL: the engine, the tables, the leases, the migrations."""
