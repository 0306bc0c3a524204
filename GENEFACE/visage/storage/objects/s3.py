"""Driver ``s3``: any store with Amazon's S3 protocol: AWS, Cloudflare R2, MinIO, Ceph."""

from __future__ import annotations

import base64
import hashlib
import mimetypes
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from visage.config import Settings
from visage.errors import (
    InvalidRequest,
    NotInstalled,
    OutputInvalid,
    ServiceBusy,
    ServiceError,
    ServiceRefused,
    ServiceTimeout,
    ServiceUnreachable,
)
from visage.storage.objects import checked_key
from visage.storage.objects.contract import Stored

_SIGNED_FOR = 7 * 24 * 3600
"""Seconds, the longest that the protocol allows."""
_ATTEMPTS = 4
_NEEDED = ("s3_bucket", "s3_access_key", "s3_secret_key")


class S3Objects:
    """Follows `ObjectStore`; thread-safe.

    Raises `NotInstalled` without boto3 and `InvalidRequest` without its settings.
    """

    name = "s3"

    def __init__(self, settings: Settings, timeout: float = 30.0):
        for field in _NEEDED:
            value = getattr(settings, field)
            if not (value if isinstance(value, str) else value.get_secret_value()):
                raise InvalidRequest("The setting {name} is empty, so nothing can be stored in a bucket.",
                                     code="objects.setting_missing", name=f"VISAGE_{field.upper()}",
                                     hint="Set it, or VISAGE_OBJECTS=local to keep files in a folder.")
        self._settings, self._client = settings, _client(settings, timeout)

    def put(self, file: Path, key: str) -> Stored:
        """As `ObjectStore.put`: sent with its checksum, tried again up to three times, and asked for afterwards."""
        bucket, size = self._settings.s3_bucket, file.stat().st_size
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        with file.open("rb") as body:
            self._asked(lambda: self._client.put_object(Bucket=bucket, Key=checked_key(key), Body=body,
                                                        ContentType=kind, ContentMD5=_checksum(file)))
        there = self._asked(lambda: self._client.head_object(Bucket=bucket, Key=key))
        if there["ContentLength"] != size:
            raise OutputInvalid("The store holds {found} of {wanted} bytes of {key}.", code="objects.incomplete",
                                hint="Try again.", found=there["ContentLength"], wanted=size, key=key)
        return Stored(key, self._url(key), size)

    def _url(self, key: str) -> str:
        public = self._settings.s3_public_url.rstrip("/")
        if public:
            return f"{public}/{quote(key)}"
        return self._client.generate_presigned_url("get_object", ExpiresIn=_SIGNED_FOR,
                                                   Params={"Bucket": self._settings.s3_bucket, "Key": key})

    def _asked(self, ask: Callable[[], Any]) -> Any:
        from botocore import exceptions

        where = self._settings.s3_endpoint or "AWS S3"
        try:
            return ask()
        except exceptions.ClientError as exc:
            raise _refusal(exc, where, self._settings.s3_bucket) from exc
        except (exceptions.ConnectTimeoutError, exceptions.ReadTimeoutError) as exc:
            raise ServiceTimeout("{where} did not answer in time.", code="objects.timeout", where=where,
                                 hint="Try again; the file is still here.") from exc
        except (exceptions.HTTPClientError, exceptions.BotoCoreError) as exc:
            raise ServiceUnreachable("{where} cannot be reached: {reason}", code="objects.unreachable", where=where,
                                     reason=str(exc)[:200], hint="Check VISAGE_S3_ENDPOINT and the network; the file "
                                                                 "is still here.") from exc


def _checksum(file: Path) -> str:
    """MD5 of a file as the protocol wants it, base64."""
    digest = hashlib.md5(usedforsecurity=False)
    with file.open("rb") as body:
        while piece := body.read(1 << 20):
            digest.update(piece)
    return base64.b64encode(digest.digest()).decode()


def _refusal(exc: Any, where: str, bucket: str) -> ServiceError:
    """The error of our tree for what the store answered."""
    told = exc.response.get("Error", {})
    status = exc.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    reason = f"{told.get('Code', status)} {told.get('Message', '')}".strip()
    facts = {"where": where, "bucket": bucket, "reason": reason}
    if status in (401, 403):
        return ServiceRefused("{where} does not let this key write to {bucket}: {reason}", code="objects.refused",
                              hint="Check the key, and that it may put objects into this bucket.", **facts)
    if status == 404:
        return ServiceError("{where} has no bucket {bucket}: {reason}", code="objects.no_bucket",
                            hint="Make the bucket, or mend VISAGE_S3_BUCKET.", **facts)
    if status in (429, 503):
        return ServiceBusy("{where} asks to come back later: {reason}", code="objects.busy", hint="Try again.", **facts)
    return ServiceError("{where} could not store the file: {reason}", code="objects.failed",
                        hint="Try again; the file is still here.", **facts)


def _client(settings: Settings, timeout: float) -> Any:
    try:
        import boto3
        from botocore.config import Config
    except ModuleNotFoundError as exc:
        raise NotInstalled("Storing in a bucket needs the Python package {package!r}.", code="objects.package_missing",
                           hint="pip install {package}", package="boto3") from exc
    return boto3.client(
        "s3", endpoint_url=settings.s3_endpoint or None, region_name=settings.s3_region,
        aws_access_key_id=settings.s3_access_key.get_secret_value(),
        aws_secret_access_key=settings.s3_secret_key.get_secret_value(),
        config=Config(signature_version="s3v4", connect_timeout=timeout, read_timeout=timeout,
                      retries={"mode": "standard", "max_attempts": _ATTEMPTS},
                      # Checksums that newer clients add by themselves are refused by other makers' stores.
                      request_checksum_calculation="when_required", response_checksum_validation="when_required",
                      s3={"addressing_style": "path"}))
