"""What an object store answers when it refuses, and the cure: S3's codes, which its imitators use too."""

import re

from prefect_dvc import connection

RIGHTS = "s3:ListBucket on the bucket, s3:GetObject, s3:PutObject and s3:DeleteObject on what is in it"
RENEW = "the credentials have expired: renew AWS_SESSION_TOKEN and its keys, or `aws sso login`"
KEYS = "no such key: correct AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
GRANT = f"these credentials may not do that: grant {RIGHTS}"
LATER = "it has too much to do; the same command continues later"
CURES = {
    "ExpiredToken": RENEW,
    "ExpiredTokenException": RENEW,
    "TokenRefreshRequired": RENEW,
    "InvalidAccessKeyId": KEYS,
    "SignatureDoesNotMatch": KEYS,
    "InvalidToken": KEYS,
    "AccessDenied": GRANT,
    "403": f"no such key, or {GRANT}",
    "400": f"a wrong region (AWS_DEFAULT_REGION), or {RENEW}",
    "RequestTimeTooSkewed": "the clock of this machine is wrong: set it (`timedatectl set-ntp true`)",
    "NoSuchBucket": "there is no such bucket: create it, or correct its name",
    "SlowDown": LATER,
    "ServiceUnavailable": LATER,
    "InternalError": LATER,
    "XMinioStorageFull": "its disk is full: make room there; the same command continues",
    "QuotaExceeded": "its quota is used up: make room there; the same command continues",
}
_ANSWER = re.compile(r"An error occurred \((?P<code>\w+)\) when calling the (?P<call>\w+) operation")
_NO_KEYS = re.compile(r"Unable to locate credentials|NoCredentials")


def explain(error: BaseException) -> str:
    """Return what an object store refused, with its code, and the cure; empty if the error is none of its answers."""
    text = " ".join(map(str, connection.list_causes(error)))
    if _NO_KEYS.search(text):
        return (
            "there are no credentials for its objects: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
        )
    if not (answer := _ANSWER.search(text)):
        return ""
    code = answer["code"]
    cure = CURES.get(code, "its documentation explains that code")
    return f"its objects: {answer['call']} is refused ({code}); {cure}"
