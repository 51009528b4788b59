"""Every route of this service that is described."""

from __future__ import annotations

from typing import Final

from bff.partner.api import (
    access_tokens,
    account_connectors,
    accounts,
    api_tokens,
    connectors,
    grant_inventory,
    properties,
    sign_in_tokens,
)
from bff.partner.grants import held as grants
from bff.partner.openapi import shapes
from bff.partner.openapi.operation import FORM, TEXT, ListOf, Operation
from bff.partner.sign_in import callback, completion, oauth_flow

ONE_USE: Final = "The sign-in token."
CONNECTOR: Final = {"oneOf": [{"$ref": "#/components/schemas/Connector"}, {"type": "array", "items": {}}]}
ACCOUNT: Final = "/v1.0/accounts/{account_id}"
INSTALLED: Final = "/v1.0/account/connectors/{account_connector_id}"
PROPERTY: Final = INSTALLED + "/properties/{property_id}"

TOKENS: Final = (
    Operation(
        "post",
        "/oauth/token",
        api_tokens.issue,
        shapes.AccessToken,
        (400,),
        shapes.TokenForm,
        FORM,
        public=True,
        error=shapes.OAuthError,
    ),
    Operation(
        "post",
        ACCOUNT + "/signintoken",
        sign_in_tokens.mint,
        shapes.SignInToken,
        (400, 404, 409),
        shapes.NewSignInToken,
    ),
)

ACCOUNTS: Final = (
    Operation("post", "/v1.0/accounts", accounts.create, shapes.Account, (400,), shapes.NewAccount),
    Operation("get", "/v1.0/accounts", accounts.list_all, ListOf(shapes.Account)),
    Operation("get", ACCOUNT, accounts.read, shapes.Account, (404,)),
    Operation("put", ACCOUNT, accounts.change, shapes.Account, (400, 404), shapes.AccountChange),
    Operation("delete", ACCOUNT, accounts.remove, shapes.Message, (404,)),
    Operation("get", ACCOUNT + "/subaccounts", accounts.list_sub_accounts, ListOf(shapes.Account), (404,)),
    Operation("get", ACCOUNT + "/users", accounts.list_users, ListOf(TEXT), (404,)),
    Operation("put", ACCOUNT + "/users", accounts.add_user, shapes.Message, (400, 404), shapes.UserName),
    Operation("delete", ACCOUNT + "/users", accounts.remove_user, shapes.Message, (404,), shapes.UserName),
)

CATALOGUE: Final = (
    Operation(
        "get",
        "/v1.0/connectors",
        connectors.list_all,
        ListOf(shapes.Connector),
        (404,),
        account=True,
        query={"query": "Keeps the connectors whose names contain it."},
    ),
    Operation("get", "/v1.0/connectors/{connector}", connectors.read, CONNECTOR, (404,), account=True),
    Operation(
        "get",
        "/v1.0/connectors/{connector}/{version}",
        connectors.read_by_name,
        {"type": "array", "items": {"$ref": "#/components/schemas/Connector"}},
        (404,),
        account=True,
    ),
    Operation(
        "post",
        "/v1.0/connectors/{connector}/install",
        connectors.install,
        shapes.AccountConnector,
        (400, 404),
        shapes.ConnectorChange,
        account=True,
    ),
    Operation(
        "post",
        "/v1.0/connectors/{connector}/{version}/install",
        connectors.install_by_name,
        shapes.AccountConnector,
        (400, 404),
        shapes.ConnectorChange,
        account=True,
    ),
)

CONNECTORS: Final = (
    Operation(
        "get",
        "/v1.0/account/connectors",
        account_connectors.list_all,
        ListOf(shapes.AccountConnector),
        (404,),
        account=True,
    ),
    Operation("get", INSTALLED, account_connectors.read, shapes.AccountConnector, (404,), account=True),
    Operation(
        "put",
        INSTALLED,
        account_connectors.change,
        shapes.AccountConnector,
        (400, 404),
        shapes.ConnectorChange,
        account=True,
    ),
    Operation("delete", INSTALLED, account_connectors.remove, shapes.Message, (404,), account=True),
    Operation(
        "put",
        INSTALLED + "/deauthenticate",
        account_connectors.deauthenticate,
        shapes.Message,
        (404,),
        account=True,
    ),
    Operation(
        "put",
        INSTALLED + "/signins/{token_sha256}/accept",
        grants.accept,
        shapes.AccountConnector,
        (404, 410),
        account=True,
    ),
    Operation(
        "put",
        INSTALLED + "/signins/{token_sha256}/complete",
        completion.complete,
        shapes.Completed,
        (404, 410),
        shapes.CompletionCode,
        account=True,
    ),
    Operation(
        "put",
        INSTALLED + "/signins/{token_sha256}/refuse",
        completion.refuse,
        shapes.Message,
        (404, 410),
        shapes.CompletionCode,
        account=True,
    ),
)

GRANTS: Final = (
    Operation(
        "post",
        INSTALLED + "/accesstoken",
        access_tokens.give,
        shapes.ConnectionToken,
        (400, 404, 409, 503),
        body=shapes.TokenWish,
        account=True,
    ),
    Operation(
        "get",
        "/v1.0/connectors/{connector}/grants",
        grant_inventory.list_all,
        ListOf(shapes.Grant),
        (404,),
    ),
    Operation(
        "post",
        "/v1.0/connectors/{connector}/grants/revoke",
        grant_inventory.revoke_all,
        shapes.GrantsEnded,
        (404,),
    ),
)

PROPERTIES: Final = (
    Operation(
        "get",
        INSTALLED + "/properties",
        properties.list_all,
        ListOf(shapes.Property),
        (404,),
        account=True,
    ),
    Operation(
        "post",
        INSTALLED + "/properties",
        properties.create,
        shapes.Property,
        (400, 404),
        shapes.NewProperty,
        account=True,
    ),
    Operation("get", PROPERTY, properties.read, shapes.Property, (404,), account=True),
    Operation(
        "put",
        PROPERTY,
        properties.change,
        shapes.Property,
        (400, 404),
        shapes.PropertyValue,
        account=True,
    ),
    Operation("delete", PROPERTY, properties.remove, shapes.Message, (404,), account=True),
)

PAGES: Final = (
    Operation(
        "get",
        "/connectorauth/updateaccountconnectoroauth",
        oauth_flow.start,
        public=True,
        query={
            "id": "The account connector's id.",
            "token": ONE_USE,
            "targetOrigin": "The origin that the message goes to, or the page to return to.",
            "callbackMessage": "What is posted at the end; without it, the browser is redirected.",
        },
        pages=(200, 302, 400, 403, 404, 410, 503),
    ),
    Operation(
        "get",
        "/connector/callback",
        callback.finish,
        public=True,
        query={
            "state": "As it was sent.",
            "code": "The third party's code.",
            "error": "Why there is none.",
            "iss": "Who answers (RFC 9207).",
        },
        pages=(200, 302, 400, 410),
    ),
    Operation("post", "/connector/callback", callback.posted, public=True, pages=(303, 400)),
    Operation(
        "get",
        "/connectorauth/finished/{finish_id}",
        completion.finish,
        public=True,
        pages=(200, 302, 400, 410, 503),
    ),
)

OPERATIONS: Final = (*TOKENS, *ACCOUNTS, *CATALOGUE, *CONNECTORS, *GRANTS, *PROPERTIES, *PAGES)
