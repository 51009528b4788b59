"""Values of a sign-in form: the current ones at the partner service, and the faults of typed ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bff.common.secret import Secret
from bff.connect.attempt import Attempt
from bff.connect.minting import Minter
from bff.upstream.protocol import PartnerService
from bff.upstream.sign_in_forms import Fault, FormField, SignInForm

LONGEST_VALUE: Final = 4000
"""Characters of one value: the limit of the partner service."""


class FormValues:
    """Reads the current values of a form from the partner service."""

    def __init__(self, partner: PartnerService, minter: Minter) -> None:
        self._partner = partner
        self._minter = minter

    def current(self, attempt: Attempt, form: SignInForm) -> Mapping[str, str]:
        """The current values of the fields that are stored as properties of the account connector.

        They are no credentials, but some may be secret. Raises ``PartnerProblem``.
        """
        if not form.property_fields or not _may_keep_stored(attempt, form):
            return {}
        target = attempt.account_connector_id or attempt.wanted_connection
        if target is None:
            connector = self._minter.catalogue_entry(attempt.account, attempt.connector)
            default = self._minter.default_target(attempt.account, connector)
            if default is None:
                return {}
            target = default.id
        return self._stored(attempt, form, target)

    def clearing_values(
        self, attempt: Attempt, form: SignInForm, account_connector_id: int, typed: Mapping[str, Secret]
    ) -> Mapping[str, Secret]:
        """An empty value for each field that was not typed and in which an earlier attempt has left a value.

        Without them the sign-in would use what another user typed and gave up. Raises ``PartnerProblem``.
        """
        untyped = {field.name for field in form.property_fields} - typed.keys()
        if not untyped or _may_keep_stored(attempt, form):
            return {}
        left = self._stored(attempt, form, account_connector_id)
        return {name: Secret("") for name, value in left.items() if value and name in untyped}

    def _stored(self, attempt: Attempt, form: SignInForm, account_connector_id: int) -> Mapping[str, str]:
        names = {field.name for field in form.property_fields}
        properties = self._partner.properties(attempt.account, account_connector_id)
        return {name: value for name, value in properties.items() if name in names}


def _may_keep_stored(attempt: Attempt, form: SignInForm) -> bool:
    """Whether stored values may be shown, and kept where nothing is typed.

    An attempt that adds a connection may use an account connector that an earlier attempt left unconnected,
    with values of another user. Once the partner service has accepted this attempt's values, the attempt has
    an ``account_connector_id``, and the other user's values are gone. A form that replaces the sign-in proves
    nothing by it: ``Forms._connect`` stores the id before the values are accepted.
    """
    has_replaced_them = attempt.account_connector_id is not None and not form.replaces_sign_in
    return has_replaced_them or not attempt.adds_connection


def secrets_of(form: SignInForm) -> frozenset[str]:
    """The names of the form's secret fields."""
    return frozenset(field.name for field in form.fields if field.sensitive)


def faults_of(form: SignInForm, typed: Mapping[str, Secret], kept: frozenset[str]) -> Mapping[str, Fault]:
    """The faults of ``typed``, by field name. ``kept``: fields that may stay empty, as they have a value."""
    found: dict[str, Fault] = {}
    for field in form.fields:
        if fault := _fault(field, typed.get(field.name), kept):
            found[field.name] = fault
    return found


def _fault(field: FormField, value: Secret | None, kept: frozenset[str]) -> Fault | None:
    if value is None:
        return None if field.optional or field.name in kept else Fault.MISSING
    if not field.accepts(value.reveal()):
        return Fault.PATTERN
    return Fault.TOO_LONG if len(value.reveal()) > LONGEST_VALUE else None
