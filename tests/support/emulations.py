"""Well-known providers as their public documentation and others' bug reports describe them.

The answers have the fields, types, statuses and media types that are documented or were reported; what each
demands of a request is what it is known to refuse. Nothing here comes from the code that they test.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.provider import (
    Habits,
    Issued,
    as_form,
    as_json,
    demand_basic,
    demand_post,
)


@dataclass(frozen=True)
class Emulation:
    """A provider's habits, and what is to be told of a connection to it."""

    habits: Habits
    account: str | None
    extra: Mapping[str, str] = field(default_factory=dict)
    scopes: list[str] | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    renewable: bool = True


def no_pkce(given: Mapping[str, str], _headers: Mapping[str, str]) -> str | None:
    """Unknown parameters are refused."""
    return "invalid_request" if "code_challenge" in given else None


def id_token(claims: Mapping[str, Any]) -> str:
    """A token of three parts, as OpenID Connect has it."""
    parts = [json.dumps(part).encode() for part in ({"alg": "RS256"}, claims)]
    return ".".join([*(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts), "c2ln"])


def _github(issued: Issued) -> Any:
    # Without an Accept header it is a form; scopes have commas; the token says when its successor ends.
    return as_form(
        {
            "access_token": issued.access,
            "expires_in": "28800",
            "refresh_token": issued.refresh,
            "refresh_token_expires_in": "15811200",
            "scope": "repo,read:org",
            "token_type": "bearer",
        }
    )


def _google(issued: Issued) -> Any:
    told = {"access_token": issued.access, "expires_in": 3599, "token_type": "Bearer"}
    told |= {"scope": "openid https://www.googleapis.com/auth/drive.file"}
    told["id_token"] = id_token({"sub": "108", "email": issued.account})
    return told | ({"refresh_token": issued.refresh} if issued.number == 1 else {})


def _google_again(issued: Issued) -> Any:
    return {"access_token": issued.access, "expires_in": 3599, "token_type": "Bearer"}


def _microsoft(issued: Issued) -> Any:
    told = {"token_type": "Bearer", "scope": "User.Read Mail.Read", "expires_in": 3736}
    told |= {"ext_expires_in": 3736, "access_token": issued.access, "refresh_token": issued.refresh}
    return {**told, "id_token": id_token({"preferred_username": issued.account, "tid": "9188"})}


def _hubspot(issued: Issued) -> Any:
    return {"token_type": "bearer", "refresh_token": issued.refresh, "access_token": issued.access} | {
        "expires_in": 1800
    }


def _salesforce(issued: Issued) -> Any:
    told = {"access_token": issued.access, "instance_url": "https://acme.my.salesforce.com"}
    told |= {
        "id": "https://login.salesforce.com/id/00Dx/005x",
        "token_type": "Bearer",
        "scope": "api refresh_token",
    }
    told |= {"issued_at": "1278448384422", "signature": "SSSbLO/gBhmmyNUvN18ODBDFYHzakxOMgqYtu+hDPsc="}
    return told | ({"refresh_token": issued.refresh} if issued.number == 1 else {})


def _slack_bot(issued: Issued) -> Any:
    told = {"ok": True, "app_id": "A0", "authed_user": {"id": "U1"}, "scope": "chat:write,channels:read"}
    told |= {"token_type": "bot", "access_token": issued.access, "bot_user_id": "B1"}
    told |= {"refresh_token": issued.refresh, "expires_in": 43200}
    return {**told, "team": {"id": "T9TK3CUKW", "name": "Acme"}, "enterprise": None}


def _slack_bot_without_rotation(issued: Issued) -> Any:
    ends = {"refresh_token", "expires_in"}
    return {name: value for name, value in _slack_bot(issued).items() if name not in ends}


_FACEBOOK_DEAD = {
    "message": "Error validating access token: The user has not authorized application 1.",
    "type": "OAuthException",
    "code": 190,
    "fbtrace_id": "AbC",
}


def _slack_user(issued: Issued) -> Any:
    user = {"id": "U1", "scope": "search:read", "access_token": issued.access, "token_type": "user"}
    user |= {"refresh_token": issued.refresh, "expires_in": 43200}
    return {"ok": True, "app_id": "A0", "authed_user": user, "team": {"id": "T9TK3CUKW", "name": "Acme"}}


def _slack_user_again(issued: Issued) -> Any:
    told = {"ok": True, "access_token": issued.access, "expires_in": 43200, "refresh_token": issued.refresh}
    return {
        **told,
        "token_type": "user",
        "scope": "search:read",
        "user_id": "U1",
        "team": {"id": "T9TK3CUKW"},
    }


def _xero(issued: Issued) -> Any:
    told = {"access_token": issued.access, "expires_in": 1800, "token_type": "Bearer"}
    return {**told, "refresh_token": issued.refresh, "scope": "accounting.contacts offline_access"}


def _quickbooks(issued: Issued) -> Any:
    told = {"token_type": "bearer", "expires_in": 3600, "access_token": issued.access}
    return {**told, "refresh_token": issued.refresh, "x_refresh_token_expires_in": 8726400}


def _linkedin(issued: Issued) -> Any:
    told = {"access_token": issued.access, "expires_in": 5184000, "scope": "openid,profile"}
    return {**told, "refresh_token": issued.refresh, "refresh_token_expires_in": 31536059}


def _zoho(issued: Issued) -> Any:
    told = {"access_token": issued.access, "api_domain": "https://www.zohoapis.eu", "token_type": "Bearer"}
    told |= {"expires_in": 3600, "scope": "ZohoCRM.modules.ALL"}
    told |= {"refresh_token": issued.refresh} if issued.number == 1 else {}
    return as_json(told, media_type="text/html;charset=UTF-8")


def _atlassian(issued: Issued) -> Any:
    told = {"access_token": issued.access, "expires_in": 3600, "token_type": "Bearer"}
    return {**told, "refresh_token": issued.refresh, "scope": "read:jira-work offline_access"}


def _apple(issued: Issued) -> Any:
    told = {"access_token": issued.access, "token_type": "Bearer", "expires_in": 3600}
    return {
        **told,
        "refresh_token": issued.refresh,
        "id_token": id_token({"email": issued.account, "sub": "001"}),
    }


def _shop_demands(given: Mapping[str, str], headers: Mapping[str, str]) -> str | None:
    if "," not in given.get("scope", "") or " " in given["scope"]:
        return "invalid_scope"
    return no_pkce(given, headers)


def _xero_info(_issued: Issued) -> Any:
    return [{"id": "e1", "tenantId": "70784a63", "tenantType": "ORGANISATION", "tenantName": "Maple Florist"}]


EMULATIONS: dict[str, Emulation] = {
    "github": Emulation(
        Habits(
            entry={
                "scopes": ["repo", "read:org"],
                "token_auth": "client_secret_post",
                "account_claim": "login",
            },
            token=demand_post,
            answers=_github,
            info=lambda issued: {"login": issued.account, "id": 583231, "email": None},
            dead=lambda: as_form(
                {
                    "error": "bad_refresh_token",
                    "error_description": "The refresh token passed is incorrect or expired.",
                }
            ),
        ),
        account="ada@example.com",
        scopes=["repo", "read:org"],
    ),
    "google": Emulation(
        Habits(
            entry={
                "scopes": ["openid", "email"],
                "token_auth": "client_secret_post",
                "authorize_params": {"access_type": "offline", "prompt": "consent"},
                "account_claim": "email",
                "revocation_ends": "consent",
            },
            token=demand_post,
            answers=_google,
            refreshed=_google_again,
            rotates=False,
            dead=lambda: as_json(
                {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}, 400
            ),
        ),
        account="ada@example.com",
        scopes=["openid", "https://www.googleapis.com/auth/drive.file"],
    ),
    "microsoft": Emulation(
        Habits(
            path="/common/oauth2/v2.0",
            entry={
                "scopes": ["User.Read", "offline_access"],
                "token_auth": "client_secret_post",
                "account_claim": "preferred_username",
                "authorize_params": {"response_mode": "query"},
            },
            token=demand_post,
            answers=_microsoft,
            callback={"session_state": "0bdc4dfb"},
            dead=lambda: as_json(
                {
                    "error": "invalid_grant",
                    "error_description": "AADSTS700082: The refresh token has expired due to inactivity.",
                    "error_codes": [700082],
                },
                400,
            ),
        ),
        account="ada@example.com",
        scopes=["User.Read", "Mail.Read"],
    ),
    "hubspot": Emulation(
        Habits(
            entry={
                "scopes": ["oauth"],
                "token_auth": "client_secret_post",
                "account_claim": "user",
                "pkce": False,
                "keep_from_userinfo": ["hub_id"],
            },
            authorize=no_pkce,
            token=demand_post,
            answers=_hubspot,
            rotates=False,
            info=lambda issued: {
                "token": issued.access,
                "user": issued.account,
                "hub_id": 62515,
                "scopes": ["oauth"],
            },
            dead=lambda: as_json(
                {
                    "status": "BAD_REFRESH_TOKEN",
                    "message": "missing or invalid refresh token",
                    "correlationId": "6356f281",
                    "requestId": "cc696c9d",
                },
                400,
            ),
        ),
        account="ada@example.com",
        extra={"hub_id": "62515"},
    ),
    "salesforce": Emulation(
        Habits(
            entry={
                "scopes": ["api", "refresh_token"],
                "token_auth": "client_secret_post",
                "account_claim": "id",
                "keep_from_token": ["instance_url"],
                "expires_in_default": 7200,
            },
            token=demand_post,
            answers=_salesforce,
            rotates=False,
            dead=lambda: as_json(
                {"error": "invalid_grant", "error_description": "expired access/refresh token"}, 400
            ),
        ),
        account="https://login.salesforce.com/id/00Dx/005x",
        extra={"instance_url": "https://acme.my.salesforce.com"},
        scopes=["api", "refresh_token"],
    ),
    "slack bot": Emulation(
        Habits(
            entry={
                "scopes": ["chat:write", "channels:read"],
                "scope_separator": ",",
                "token_auth": "client_secret_post",
                "account_claim": "team.name",
                "keep_from_token": ["team.id", "bot_user_id"],
            },
            token=demand_post,
            answers=_slack_bot,
            dead=lambda: as_json({"ok": False, "error": "invalid_refresh_token"}),
        ),
        account="Acme",
        extra={"team.id": "T9TK3CUKW", "bot_user_id": "B1"},
        scopes=["chat:write", "channels:read"],
    ),
    "slack without rotation": Emulation(
        Habits(
            entry={
                "scopes": ["chat:write", "channels:read"],
                "scope_separator": ",",
                "token_auth": "client_secret_post",
                "account_claim": "url",
                "revocation_params": {"token": "{access_token}"},
            },
            token=demand_post,
            answers=_slack_bot_without_rotation,
            info=lambda _: {"ok": True, "url": "https://acme.slack.com/", "team": "Acme"},
            dead_info=lambda: as_json({"ok": False, "error": "token_revoked"}),
        ),
        account="https://acme.slack.com/",
        scopes=["chat:write", "channels:read"],
        renewable=False,
    ),
    "facebook": Emulation(
        Habits(
            entry={
                "scopes": ["public_profile", "pages_show_list"],
                "scope_separator": ",",
                "token_auth": "client_secret_post",
                "account_claim": "id",
                "dead_refresh": ["190"],
            },
            token=demand_post,
            answers=lambda issued: {
                "access_token": issued.access,
                "token_type": "bearer",
                "expires_in": 5183944,
            },
            info=lambda _: {"id": "10158", "name": "Ada"},
            dead_info=lambda: as_json({"error": _FACEBOOK_DEAD}, 400),
        ),
        account="10158",
        renewable=False,
    ),
    "slack user": Emulation(
        Habits(
            entry={
                "scopes": ["search:read"],
                "scope_separator": ",",
                "parameter_names": {"scope": "user_scope"},
                "token_root": "authed_user",
                "token_auth": "client_secret_post",
                "account_claim": "authed_user.id",
                "keep_from_token": ["team.id"],
            },
            authorize=lambda given, _: (
                None if given.get("user_scope") == "search:read" and "scope" not in given else "invalid_scope"
            ),
            token=demand_post,
            answers=_slack_user,
            refreshed=_slack_user_again,
            dead=lambda: as_json({"ok": False, "error": "token_revoked"}),
        ),
        account="U1",
        extra={"team.id": "T9TK3CUKW"},
        scopes=["search:read"],
    ),
    "shopify": Emulation(
        Habits(
            path="/acme",
            entry={
                "authorize_url": "{URL}/{shop}/authorize",
                "token_url": "{URL}/{shop}/token",
                "userinfo_url": "{URL}/{shop}/userinfo",
                "userinfo_headers": {"Authorization": "", "X-Access-Token": "{access_token}"},
                "revocation_url": "{URL}/{shop}/revoke",
                "scopes": ["read_products", "read_orders"],
                "scope_separator": ",",
                "pkce": False,
                "token_request": "json",
                "token_auth": "client_secret_post",
                "account_claim": "shop.myshopify_domain",
                "field": [
                    {
                        "name": "shop",
                        "label": "Shop name",
                        "pattern": "[a-z0-9-]+",
                        "suffix": ".myshopify.com",
                    }
                ],
            },
            authorize=_shop_demands,
            token=demand_post,
            answers=lambda issued: {"access_token": issued.access, "scope": "read_products,read_orders"},
            info=lambda _: {"shop": {"id": 548380009, "myshopify_domain": "acme.myshopify.com"}},
            callback={
                "hmac": "da9d83c1",
                "shop": "acme.myshopify.com",
                "timestamp": "1337178173",
                "host": "YWNtZQ",
            },
        ),
        account="acme.myshopify.com",
        scopes=["read_products", "read_orders"],
        fields={"shop": "acme"},
        renewable=False,
    ),
    "xero": Emulation(
        Habits(
            entry={
                "scopes": ["accounting.contacts", "offline_access"],
                "token_auth": "client_secret_basic_raw",
                "account_claim": "0.tenantName",
                "keep_from_userinfo": ["0.tenantId"],
            },
            token=demand_basic,
            answers=_xero,
            info=_xero_info,
        ),
        account="Maple Florist",
        extra={"0.tenantId": "70784a63"},
        scopes=["accounting.contacts", "offline_access"],
    ),
    "quickbooks": Emulation(
        Habits(
            entry={
                "scopes": ["com.intuit.quickbooks.accounting"],
                "token_auth": "client_secret_basic_raw",
                "account_claim": "realmId",
                "keep_from_callback": ["realmId"],
                "pkce": False,
            },
            authorize=no_pkce,
            token=demand_basic,
            answers=_quickbooks,
            callback={"realmId": "4620816365017"},
        ),
        account="4620816365017",
        extra={"realmId": "4620816365017"},
    ),
    "linkedin": Emulation(
        Habits(
            entry={
                "scopes": ["openid", "profile"],
                "token_auth": "client_secret_post",
                "account_claim": "sub",
                "pkce": False,
            },
            authorize=no_pkce,
            token=demand_post,
            answers=_linkedin,
            info=lambda _: {"sub": "782bbtaQ", "name": "Ada"},
            dead=lambda: as_json(
                {
                    "error": "invalid_grant",
                    "error_description": "The provided authorization grant or refresh token is invalid.",
                },
                400,
            ),
        ),
        account="782bbtaQ",
        scopes=["openid", "profile"],
    ),
    "zoho": Emulation(
        Habits(
            entry={
                "scopes": ["ZohoCRM.modules.ALL"],
                "scope_separator": ",",
                "token_auth": "client_secret_post",
                "keep_from_token": ["api_domain"],
                "keep_from_callback": ["location", "accounts-server"],
                "dead_refresh": ["invalid_code"],
                "authorize_params": {"access_type": "offline", "prompt": "consent"},
            },
            token=demand_post,
            answers=_zoho,
            rotates=False,
            callback={"location": "eu", "accounts-server": "https://accounts.zoho.eu"},
            dead=lambda: as_json({"error": "invalid_code"}, media_type="application/json;charset=UTF-8"),
        ),
        account=None,
        extra={
            "api_domain": "https://www.zohoapis.eu",
            "location": "eu",
            "accounts-server": "https://accounts.zoho.eu",
        },
        scopes=["ZohoCRM.modules.ALL"],
    ),
    "atlassian": Emulation(
        Habits(
            entry={
                "scopes": ["read:jira-work", "offline_access"],
                "token_auth": "client_secret_post",
                "token_request": "json",
                "authorize_params": {"audience": "api.atlassian.com", "prompt": "consent"},
                "account_claim": "0.url",
                "keep_from_userinfo": ["0.id"],
            },
            token=demand_post,
            answers=_atlassian,
            info=lambda _: [
                {"id": "1324a887", "name": "acme", "url": "https://acme.atlassian.net", "scopes": []}
            ],
            dead=lambda: as_json(
                {"error": "unauthorized_client", "error_description": "refresh_token is invalid"}, 403
            ),
        ),
        account="https://acme.atlassian.net",
        extra={"0.id": "1324a887"},
        scopes=["read:jira-work", "offline_access"],
    ),
    "apple": Emulation(
        Habits(
            entry={
                "scopes": ["name", "email"],
                "token_auth": "client_secret_post",
                "pkce": False,
                "account_claim": "email",
                "authorize_params": {"response_mode": "form_post"},
            },
            authorize=no_pkce,
            token=demand_post,
            answers=_apple,
            posts=True,
            callback={
                "id_token": "aaa.bbb.ccc",
                "user": '{"name":{"firstName":"Ada"},"email":"ada@example.com"}',
            },
        ),
        account="ada@example.com",
    ),
}
