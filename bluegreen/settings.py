"""Django's settings: everything that differs between installations is an environment variable.

Each variable is listed with its default in ``docs/settings.md``. Nothing here reads a file of secrets: the
supervisor of ``make run`` makes what a single machine needs and passes it on, elsewhere they come from the platform.
"""

import re
from datetime import timedelta
from pathlib import Path

import environ
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from audit.signing import InvalidSigningKey, SigningKey
from aws.accounts import InvalidAccounts, parse_accounts
from terraform_runner.encryption import InvalidKeys, parse_keys

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

DEBUG = env.bool("BLUEGREEN_DEBUG", default=False)
SECRET_KEY = env.str("BLUEGREEN_SECRET_KEY")
if not SECRET_KEY:  # Django itself notices only when something is signed
    raise ImproperlyConfigured("BLUEGREEN_SECRET_KEY is empty: it signs sessions and forms.")
try:
    KEY_RING = parse_keys(env.str("BLUEGREEN_ENCRYPTION_KEYS"))
except InvalidKeys as error:
    raise ImproperlyConfigured(f"BLUEGREEN_ENCRYPTION_KEYS: {error}.") from error
ALLOWED_HOSTS = env.list("BLUEGREEN_ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
DATA_DIR = Path(env.str("BLUEGREEN_DATA_DIR", default=str(BASE_DIR / "var"))).resolve()

INSTALLED_APPS = [
    # Before Django's, two of whose commands it refuses: they would change people without an event.
    "releases",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "guardian",
    "axes",
    "pgtrigger",
    "audit",
    "terraform_runner",
]
MIDDLEWARE = [
    "bluegreen.health.health_middleware",
    "bluegreen.request_context.request_context_middleware",
    "django.middleware.security.SecurityMiddleware",
    "bluegreen.static_files.StaticFilesMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "bluegreen.whole_texts.WholeTextsMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "releases.refusals.RefusalsMiddleware",
]
ROOT_URLCONF = "bluegreen.urls"
ASGI_APPLICATION = "bluegreen.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "releases.views.reader.reader_context",
            ],
        },
    },
]

DATABASES = {"default": env.db_url("DATABASE_URL")}
TRANSACTION_OPTIONS = "-c idle_in_transaction_session_timeout=5s"
# What the address itself asks for, for example ?sslmode=verify-full, stays.
DATABASES["default"]["OPTIONS"] = {
    # A server that is cut off is noticed: nobody waits for its answer as long as TCP would.
    "connect_timeout": 5,
    "tcp_user_timeout": 10_000,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    # A process that is stopped in the middle of a transaction holds nobody up for longer than this.
    "options": TRANSACTION_OPTIONS,
    **DATABASES["default"].get("OPTIONS", {}),
    "pool": {"min_size": 0, "max_size": 20, "timeout": 5},
}
# A connection that was kept while the database went away is not given to a request.
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DATABASES["default"]["TEST"] = {"TEMPLATE": "template0"}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
    "guardian.backends.ObjectPermissionBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
# Guardian's anonymous user would be a row that can be granted rights; nobody here acts without signing in.
ANONYMOUS_USER_NAME = None
# Guessing passwords: tries are counted by the name that was typed and the address they come from, and by each of them
# in all, and after so many that fail none counts for a while. The page for that is releases.views.sign_in's own, so
# that it needs no middleware.
AXES_HANDLER = "releases.sign_in_limits.SignInLimits"
SIGN_IN_TRIES_BY_NAME = env.int("BLUEGREEN_SIGN_IN_TRIES_BY_NAME", default=25)
SIGN_IN_TRIES_BY_ADDRESS = env.int("BLUEGREEN_SIGN_IN_TRIES_BY_ADDRESS", default=50)
AXES_FAILURE_LIMIT = env.int("BLUEGREEN_SIGN_IN_TRIES", default=5)
AXES_COOLOFF_TIME = timedelta(minutes=env.int("BLUEGREEN_SIGN_IN_PAUSE_MINUTES", default=15))
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_CLIENT_IP_CALLABLE = "bluegreen.request_context.address_of"
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_DISABLE_ACCESS_LOG = True  # the trail has it
AXES_VERBOSE = False
# What was sent with a try is kept as long as it counts, but for these fields.
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address", "old_password", "new_password1", "new_password2"]
SILENCED_SYSTEM_CHECKS = ["axes.W002"]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "service-list"
LOGOUT_REDIRECT_URL = "login"

USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = False
LANGUAGE_CODE = "en"

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "static"
# The style sheet and a script come from npm (see package.json) and are served from where set-up puts it.
STATICFILES_DIRS = [("tabler", BASE_DIR / "vendor/tabler"), ("idiomorph", BASE_DIR / "vendor/idiomorph")]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "request": {"()": "bluegreen.request_context.RequestIdFilter"},
        "refusal": {"()": "bluegreen.refusals_log.RefusalFilter"},
    },
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {request_id}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["request"]}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "releases": {"level": "INFO"},
        "terraform_runner": {"level": "INFO"},
        "django.request": {"filters": ["refusal"]},
    },
}
CELERY_WORKER_HIJACK_ROOT_LOGGER = False

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env.bool("BLUEGREEN_HTTPS", default=False)
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# Scripts run only with the page's nonce, and nothing is loaded from elsewhere; the style sheet's pictures are data:.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [NONCE],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# The broker only wakes workers up: the database is the truth, so a message may be lost, doubled or forged.
CELERY_BROKER_URL = env.str("REDIS_URL", default="redis://127.0.0.1:6379/0")
CELERY_TASK_DEFAULT_QUEUE = "runs"
# What must not wait behind runs either.
CELERY_TASK_ROUTES = {
    "releases.sweep": {"queue": "urgent"},
    "releases.write_offline_file": {"queue": "urgent"},
    "releases.deliver_messages": {"queue": "urgent"},
}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # workers wait for the broker for as long as it takes
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # Longer than any run: kombu delivers a message again after it, whether or not the run still goes on.
    "visibility_timeout": 6 * 3600,
    "socket_timeout": 2,
    "socket_connect_timeout": 2,
    "health_check_interval": 10,
    # Nobody who asks for something waits for a broker that is gone: the sweeper sends it again.
    "max_retries": 0,
}
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BEAT_SCHEDULE = {
    "sweep": {"task": "releases.sweep", "schedule": 2.0, "options": {"expires": 10}},
    "messages": {"task": "releases.deliver_messages", "schedule": 2.0, "options": {"expires": 10}},
    "offline": {"task": "releases.write_offline_file", "schedule": 10.0, "options": {"expires": 20}},
    "readiness": {"task": "releases.check_readiness", "schedule": 30.0, "options": {"expires": 50}},
    "counts": {"task": "releases.count_traffic", "schedule": 20.0, "options": {"expires": 40}},
    "checkpoint": {"task": "releases.make_checkpoint", "schedule": 300.0, "options": {"expires": 350}},
    "prune": {"task": "releases.prune", "schedule": 30.0, "options": {"expires": 50}},
}

# Terraform. The binary is found on PATH and the mirror by set-up where these are not given.
TERRAFORM_BIN = env.str("BLUEGREEN_TERRAFORM_BIN", default="") or None
_mirror = env.str("BLUEGREEN_TERRAFORM_MIRROR", default="")
TERRAFORM_MIRROR = Path(_mirror) if _mirror else None
TERRAFORM_TIME_LIMIT_SECONDS = env.int("BLUEGREEN_TERRAFORM_TIME_LIMIT_SECONDS", default=1800)
TERRAFORM_GRACE_SECONDS = env.int("BLUEGREEN_TERRAFORM_GRACE_SECONDS", default=30)
TERRAFORM_LOCK_TIMEOUT_SECONDS = env.int("BLUEGREEN_TERRAFORM_LOCK_TIMEOUT_SECONDS", default=10)
# How long a worker holds a run after each heartbeat; another one takes over when that and the grace are over.
LEASE_SECONDS = env.int("BLUEGREEN_LEASE_SECONDS", default=45)
# A worker that is told to stop lets its run go on for so long; then it hands it over to another one.
WORKER_GRACE_SECONDS = env.int("BLUEGREEN_WORKER_GRACE_SECONDS", default=30)

# How many requests a token may send in a minute, to each web process; the emergency button is not counted.
API_REQUESTS_PER_MINUTE = env.int("BLUEGREEN_API_REQUESTS_PER_MINUTE", default=600)
# Where people reach the pages: links in messages begin so, whatever a request says of its host.
PUBLIC_URL = env.str("BLUEGREEN_PUBLIC_URL", default="http://localhost:8000").rstrip("/")
if not re.fullmatch(r"https?://[A-Za-z0-9.\-\[\]:]+", PUBLIC_URL):
    raise ImproperlyConfigured("BLUEGREEN_PUBLIC_URL: write https:// and a host name, without a path.")
# The server that takes mails, as in smtp+tls://user:password@host:587; without one, nobody gets any.
vars().update(env.email_url("EMAIL_URL", default="dummymail://"))
MAIL_IS_SET_UP = bool(env.str("EMAIL_URL", default=""))
DEFAULT_FROM_EMAIL = env.str("BLUEGREEN_MAIL_FROM", default="Bluegreen <bluegreen@localhost>")
EMAIL_TIMEOUT = 5
# A plan that has waited for so long is told of once more; 0 for never.
REMIND_AFTER_HOURS = env.int("BLUEGREEN_REMIND_AFTER_HOURS", default=4)
# Whether webhooks may lead to this machine, over plain HTTP: for the sandbox only.
WEBHOOK_LOOPBACK = env.bool("BLUEGREEN_WEBHOOK_LOOPBACK", default=False)

# A service counts as unused when no request has reached it for so long.
REMOVAL_QUIET_HOURS = env.int("BLUEGREEN_REMOVAL_QUIET_HOURS", default=24)
# Plans, and what `init` has prepared, are kept for so long after they were last needed.
KEEP_PLANS_DAYS = env.int("BLUEGREEN_KEEP_PLANS_DAYS", default=30)

# The key that signs checkpoints of the audit trail, not in the database; and the public keys of earlier ones.
AUDIT_SIGNING_KEY = env.str("BLUEGREEN_AUDIT_SIGNING_KEY", default="")
AUDIT_PUBLIC_KEYS = env.list("BLUEGREEN_AUDIT_PUBLIC_KEYS", default=[])
# For so many days nobody removes a checkpoint from the bucket, which needs Object Lock then.
AUDIT_RETENTION_DAYS = env.int("BLUEGREEN_AUDIT_RETENTION_DAYS", default=0)
# Whether /readyz says so where this process' database role could change the trail.
CHECK_AUDIT_ROLE = env.bool("BLUEGREEN_CHECK_AUDIT_ROLE", default=False)
try:
    if AUDIT_SIGNING_KEY:
        SigningKey(AUDIT_SIGNING_KEY)
except InvalidSigningKey as error:
    raise ImproperlyConfigured(f"BLUEGREEN_AUDIT_SIGNING_KEY: {error}.") from error

# Whether the emergency button's part at AWS is left to the workers, where the pages' process may hold no credentials.
BUTTON_BY_WORKER = env.bool("BLUEGREEN_BUTTON_BY_WORKER", default=False)
# AWS: without these, boto3's own search for credentials applies. The sandbox sets all three.
AWS_ENDPOINT_URL = env.str("BLUEGREEN_AWS_ENDPOINT_URL", default="") or None
AWS_ACCESS_KEY_ID = env.str("BLUEGREEN_AWS_ACCESS_KEY_ID", default="") or None
AWS_SECRET_ACCESS_KEY = env.str("BLUEGREEN_AWS_SECRET_ACCESS_KEY", default="") or None
try:
    AWS_ACCOUNTS = parse_accounts(env.str("BLUEGREEN_AWS_ACCOUNTS", default=""))
except InvalidAccounts as error:
    raise ImproperlyConfigured(f"BLUEGREEN_AWS_ACCOUNTS: {error}") from error
# Where plans, logs and Terraform's states are: in the data directory unless a bucket is named.
STORAGE_BUCKET = env.str("BLUEGREEN_STORAGE_BUCKET", default="")
STORAGE_ACCOUNT_ID = env.str("BLUEGREEN_STORAGE_ACCOUNT_ID", default="")
STORAGE_REGION = env.str("BLUEGREEN_STORAGE_REGION", default="")
STORAGE_PREFIX = env.str("BLUEGREEN_STORAGE_PREFIX", default="").strip("/")
STORAGE_KMS_KEY = env.str("BLUEGREEN_STORAGE_KMS_KEY", default="") or None
if STORAGE_BUCKET and not (STORAGE_ACCOUNT_ID and STORAGE_REGION):
    raise ImproperlyConfigured(
        "BLUEGREEN_STORAGE_BUCKET needs BLUEGREEN_STORAGE_ACCOUNT_ID and BLUEGREEN_STORAGE_REGION."
    )
# Where the sandbox of `make run` says what it has; empty where Bluegreen works with a real account.
SANDBOX_FILE = env.str("BLUEGREEN_SANDBOX_FILE", default="") or None
# The password of the demo's people, made by set-up; empty where there is no demo.
DEMO_PASSWORD = env.str("BLUEGREEN_DEMO_PASSWORD", default="")
DEMO_SERVICE = env.json("BLUEGREEN_DEMO_SERVICE", default={})
