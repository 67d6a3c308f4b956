from django.db import migrations, models

# The words of an event, as audit.search finds them by their beginnings: letters and digits, whatever is between them.
SEARCH = """
CREATE FUNCTION audit_words(actor_name text, reason text, subject jsonb, before jsonb, after jsonb) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT to_tsvector('pg_catalog.simple', regexp_replace(
        actor_name || ' ' || reason || ' ' || subject::text || ' ' || before::text || ' ' || after::text,
        '[^[:alnum:]]+', ' ', 'g'
    ))
$$;

CREATE INDEX audit_words ON audit_auditevent USING gin (audit_words(actor_name, reason, subject, before, after));
CREATE INDEX audit_release_timeline ON audit_auditevent ((subject ->> 'release'), id DESC)
    WHERE subject ->> 'release' IS NOT NULL;
CREATE INDEX audit_request_timeline ON audit_auditevent ((context ->> 'request_id'), id DESC)
    WHERE context ->> 'request_id' IS NOT NULL;
"""
NO_SEARCH = """
DROP INDEX audit_request_timeline;
DROP INDEX audit_release_timeline;
DROP INDEX audit_words;
DROP FUNCTION audit_words(text, text, jsonb, jsonb, jsonb);
"""


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0003_acts_by_token'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='auditevent',
            index=models.Index(models.F('actor_name'), models.OrderBy(models.F('id'), descending=True), name='audit_actor_timeline'),
        ),
        migrations.AddIndex(
            model_name='auditevent',
            index=models.Index(models.F('action'), models.OrderBy(models.F('id'), descending=True), name='audit_action_timeline'),
        ),
        migrations.RunSQL(SEARCH, NO_SEARCH),
    ]
