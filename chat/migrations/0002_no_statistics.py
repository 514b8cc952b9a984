"""As accounts' 0002: no value of these columns goes into pg_statistic."""

from django.db import migrations

COLUMNS = {
    "chat_session": ("id", "initiator_id", "responder_id"),
    "chat_item": ("session_id", "body"),
    "chat_sealhalf": ("session_id", "participant_id", "half"),
    "chat_file": ("id", "session_id"),
    "chat_filechunk": ("file_id", "body"),
}


def keep_no_statistics(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for table, columns in COLUMNS.items():
            for column in columns:
                schema_editor.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET STATISTICS 0")


class Migration(migrations.Migration):
    dependencies = [("chat", "0001_initial")]
    operations = [migrations.RunPython(keep_no_statistics, migrations.RunPython.noop)]
