"""PostgreSQL's ANALYZE copies values of a column into pg_statistic, where nothing deletes them. Not of these."""

from django.db import migrations

COLUMNS = {
    "accounts_identity": ("hash", "modulus"),
    "accounts_challenge": ("id", "modulus", "proof_digest"),
    "accounts_token": ("digest", "identity_id"),
}


def keep_no_statistics(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for table, columns in COLUMNS.items():
            for column in columns:
                schema_editor.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET STATISTICS 0")


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [migrations.RunPython(keep_no_statistics, migrations.RunPython.noop)]
