"""The refusals that need no store of consents."""

from __future__ import annotations

from visage.errors import Refused


def ended(consent_id: str, person: str, state: str) -> Refused:
    """The refusal for a consent that was withdrawn or has expired."""
    if state == "revoked":
        return Refused("The consent of {person} was withdrawn.", code="consent.revoked", person=person, id=consent_id,
                       hint="Ask for another one, or use another face or voice.")
    return Refused("The consent of {person} has expired.", code="consent.expired", person=person, id=consent_id,
                   hint="Ask for another one, or use another face or voice.")
