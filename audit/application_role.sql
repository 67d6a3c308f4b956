-- The rights of the application's database role in production: it owns nothing, and cannot touch what is recorded.
-- Run it as the owner of the tables, who also runs `manage.py migrate`, and again after each migration:
--     psql -v role=bluegreen_app -f audit/application_role.sql DATABASE
GRANT USAGE ON SCHEMA public TO :"role";
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO :"role";
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO :"role";
-- The trail is added to and read. Its chain is written by functions that act as the owner.
REVOKE ALL ON audit_auditevent, audit_chainlink, django_migrations FROM :"role";
GRANT SELECT, INSERT ON audit_auditevent TO :"role";
GRANT SELECT ON audit_chainlink, django_migrations TO :"role";
