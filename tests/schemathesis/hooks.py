"""What Schemathesis does around its requests."""

import os

import requests
import schemathesis

URL = os.environ["EMULATOR_URL"]
PIPELINE = f"{URL}/api/program/4/pipeline/1"
SESSION = requests.Session()
SESSION.headers = {
    "Authorization": f"Bearer {os.environ['TOKEN']}",
    "x-api-key": "emulator",
    "x-gw-ims-org-id": "1234567890ABCDEF12345678@AdobeOrg",
}

# Subscribers that are called; nobody listens there.
NOBODY = "http://127.0.0.1:9/"


def begin():
    """Everything is as it was at first: the demo, and an execution that waits for an approval."""
    SESSION.post(f"{URL}/_emulator/reset").raise_for_status()
    SESSION.put(f"{PIPELINE}/execution").raise_for_status()


@schemathesis.hook
def before_call(context, case, **kwargs):
    """Keeps requests from calling other machines, and from taking minutes."""
    operation = case.operation.definition.raw.get("operationId")
    body = case.body
    if operation == "postWebhook":
        case.query = {**(case.query or {}), "challenge": "false"}
    if operation.startswith("waitFor") and isinstance(case.query, dict):
        case.query = {**case.query, "timeout": "PT0.05S"}
    if isinstance(body, dict):
        if operation == "postWebhook" and str(body.get("url", "")).startswith("http"):
            case.body = {**body, "url": NOBODY}
        if operation == "postSeed":
            case.body = {**body, "webhooks": []}
        if operation == "postHistory" and isinstance(body.get("count"), int):
            case.body = {**body, "count": min(body["count"], 100)}


@schemathesis.serializer(
    "application/vnd.sqlite3", "application/zip", "application/x-git-receive-pack-request",
    "application/x-git-upload-pack-request",
)
def as_it_is(context, value):
    """A file of a database, a zip file, or what git sends; what is made up is none."""
    return value if isinstance(value, bytes) else str(value).encode()


def has_null(value):
    """Whether a field of a body, or of something in it, is null."""
    if isinstance(value, dict):
        return any(field is None or has_null(field) for field in value.values())
    return isinstance(value, list) and any(has_null(item) for item in value)


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Keeps all failures but two kinds. A field that is null is as good as absent, which a schema with
    optional fields does not say. Adobe's gateway refuses a call without a token with 403, not 401."""
    if "Missing required header" in failure.title and '"403010"' in response.text:
        return response.status_code != 403
    return "accepted" not in failure.title or not has_null(case.body)


@schemathesis.hook
def after_call(context, case, response):
    """What a request has changed must not be met by the next one."""
    changes = case.method.upper() not in ("GET", "HEAD") and not case.path.startswith("/ims/")
    if changes and response.status_code < 300:
        begin()
