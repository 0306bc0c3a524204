"""C2PA: exports signed with the operator's certificate, and what such a signature in a file says."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from visage import __version__
from visage.config import Settings
from visage.errors import InvalidRequest, NotInstalled, OutputInvalid, from_os_error
from visage.media.labels import Label, kind_of, read_label

SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
"""IPTC's word for pictures and sounds that a trained model made with the help of recorded ones."""
_TYPES = {"mp4": "video/mp4", "wav": "audio/wav", "mp3": "audio/mpeg", "flac": "audio/flac"}
_PICTURES = {b"\x89PNG": "image/png", b"\xff\xd8\xff\xe0": "image/jpeg", b"RIFF": "image/webp"}


@dataclass(frozen=True, slots=True)
class Credential:
    """What a C2PA manifest says."""

    state: str
    """``Valid`` (signature and content fit), ``Trusted`` (its issuer is known, too), ``Invalid``, or ``unreadable``."""
    issuer: str
    """Organisation of the certificate."""
    generator: str
    """Program that says it made the file."""


def media_type(file: Path) -> str:
    """The media type of a file that C2PA can be put into; "" for any other."""
    kind = kind_of(file)
    if kind != "picture":
        return _TYPES.get(kind, "")
    with file.open("rb") as opened:
        head = opened.read(4)
    return "image/jpeg" if head[:3] == b"\xff\xd8\xff" else _PICTURES.get(head, "")


def sign(file: Path, label: Label, settings: Settings) -> None:
    """Sign a labelled file in place with the certificate of the settings; its label is read back.

    Formats that C2PA does not know stay unsigned.  Raises `NotInstalled`, `InvalidRequest` (certificate or key) and
    `OutputInvalid`.
    """
    if find_spec("c2pa") is None:
        raise NotInstalled("C2PA is asked for, but not installed.", code="c2pa.not_installed",
                           hint="pip install c2pa-python, or unset VISAGE_SIGNING_CERTIFICATE.")
    form = media_type(file)
    if not form:
        return
    import c2pa

    signer = _signer(settings)
    draft = file.with_name(f".{file.stem}-{uuid.uuid4().hex}.part")
    try:
        with file.open("rb") as source, draft.open("w+b") as target:
            c2pa.Builder(_manifest(label)).sign(signer, form, source, target)
        if read_label(draft) != label:
            raise OutputInvalid("The label of {name} was not found again after writing.", code="label.lost",
                                hint="Try again; without its label the file is not given out.", name=file.name)
        draft.replace(file)
    except c2pa.C2paError as exc:
        raise OutputInvalid("{name} could not be signed: {reason}", code="c2pa.failed", name=file.name,
                            hint="Check VISAGE_SIGNING_CERTIFICATE and VISAGE_SIGNING_KEY, or unset both.",
                            reason=str(exc)) from exc
    except OSError as exc:
        raise from_os_error(exc) from exc
    finally:
        draft.unlink(missing_ok=True)


def read_credential(file: Path) -> Credential | None:
    """What the C2PA manifest of a file says; None when it has none, or nothing here can read one."""
    form = media_type(file)
    if not form or find_spec("c2pa") is None:
        return None
    import c2pa

    try:
        with file.open("rb") as opened:
            reader = c2pa.Reader.try_create(form, opened)
            if reader is None:
                return None
            told = reader.get_active_manifest() or {}
            generator = (told.get("claim_generator_info") or [{}])[0].get("name", "")
            issuer = (told.get("signature_info") or {}).get("issuer", "")
            return Credential(str(reader.get_validation_state()), str(issuer), str(generator))
    except c2pa.C2paError:
        return Credential("unreadable", "", "")


def _signer(settings: Settings) -> Any:
    import c2pa

    if settings.signing_certificate is None or settings.signing_key is None:
        raise InvalidRequest("C2PA needs a certificate and its key.", code="c2pa.certificate",
                             hint="Set VISAGE_SIGNING_CERTIFICATE and VISAGE_SIGNING_KEY, or neither.")
    try:
        return c2pa.Signer.from_info(c2pa.C2paSignerInfo(
            b"es256", settings.signing_certificate.read_bytes(), settings.signing_key.read_bytes(), None))
    except (OSError, c2pa.C2paError) as exc:
        raise InvalidRequest("The C2PA certificate or key cannot be used: {reason}", code="c2pa.unusable",
                             hint="Both are PEM files; the key is ES256 (P-256).", reason=str(exc)) from exc


def _manifest(label: Label) -> dict[str, Any]:
    # "created", never "edited": an edit must name its ingredient, and inputs are known by the number in their label
    parameters = {"ProduceID": label.made_as, **({"sources": label.sources} if label.sources else {})}
    made = {"action": "c2pa.created", "digitalSourceType": SOURCE_TYPE, "parameters": parameters}
    return {"claim_generator_info": [{"name": label.producer or "Visage", "version": __version__}],
            "title": label.made_as, "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [made]}}]}
