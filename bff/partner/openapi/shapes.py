# house-allow: long-file: a table, read by what stands in it
"""The JSON that the service reads and answers, under Cyclr's names.

A member of a request that has a wrong type counts as absent, and one that is not known is ignored (as
recorded of Cyclr); a client of the answers ignores what it does not know.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Text = Annotated[str, Field(max_length=255, pattern=r"^[^\x00-\x08\x0b-\x1f]*$")]
LongText = Annotated[str, Field(max_length=4000, pattern=r"^[^\x00-\x08\x0b-\x1f]*$")]
Filled = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^\x00-\x20][^\x00-\x08\x0b-\x1f]*$")]


class Message(BaseModel):
    """A refusal, or what was done."""

    Message: str


class OAuthError(BaseModel):
    """A refused token request (RFC 6749, section 5.2)."""

    error: Literal["invalid_client", "unsupported_grant_type", "invalid_scope"]


class TokenForm(BaseModel):
    """A token request (RFC 6749, section 4.4.2); the client may sign in by HTTP Basic instead."""

    grant_type: Literal["client_credentials"]
    client_id: str = ""
    client_secret: str = ""
    scope: Annotated[str, Field(description="`account:{id}` restricts the token to one account.")] = ""


class AccessToken(BaseModel):
    """An access token of 14 days."""

    model_config = ConfigDict(validate_by_alias=True, serialize_by_alias=True)

    access_token: str
    token_type: Literal["bearer"]
    expires_in: int
    clientId: str  # noqa: N815  # Cyclr's own spelling
    refresh: Annotated[str, Field(alias=".refresh")]
    issued: Annotated[str, Field(alias=".issued")]
    expires: Annotated[str, Field(alias=".expires")]


class AccountChange(BaseModel):
    """What may be set on an account."""

    Name: Text = ""
    Description: LongText | None = None
    Timezone: Text = "Etc/UTC"
    StepDataSuccessRetentionHours: Annotated[int, Field(ge=0)] = 24
    StepDataErroredRetentionHours: Annotated[int, Field(ge=0)] = 72
    TransactionErrorWebhookEnabled: bool = False
    TransactionErrorWebhookUrl: Text | None = None
    TransactionErrorWebhookIncludeWarnings: bool = False
    AuditInfo: Text | None = None
    TaskAuditInfo: Text | None = None
    ParentAccountId: Text | None = None


class NewAccount(AccountChange):
    """A new account; its id is any text, a GUID when not given."""

    Id: Filled | None = None
    Name: Filled


class Account(BaseModel):
    """An account. Times are written as .NET writes them, with seven fractional digits."""

    Id: str
    CreatedDate: str
    Name: str
    Description: str | None
    Timezone: str
    StepDataSuccessRetentionHours: int
    StepDataErroredRetentionHours: int
    TransactionErrorWebhookEnabled: bool
    TransactionErrorWebhookUrl: str | None
    TransactionErrorWebhookIncludeWarnings: bool
    AuditInfo: str | None
    TaskAuditInfo: str | None
    ParentAccountId: str | None
    NextBillDateUtc: str | None


class UserName(BaseModel):
    """A user of an account."""

    UserName: Filled


class SignInWishes(BaseModel):
    """Hitchpost's own.

    The sign-in counts once it is completed there, and leads to that target only; and the account's copy of
    this connector is told with the token, installed if there is none.
    """

    CompletionUrl: str | None = None
    TargetOrigin: str | None = None
    Connector: int | None = None


class NewSignInToken(BaseModel):
    """For whom; a user who is not known is made."""

    Username: Filled
    Hitchpost: SignInWishes | None = None


class SignInFor(BaseModel):
    """The account connector that a sign-in is for."""

    Id: int
    Authenticated: bool


class SignInPromises(BaseModel):
    """The sign-in has to be completed before it counts; it is for this account connector."""

    Completion: Literal[True] | None = None
    AccountConnector: SignInFor | None = None


class CompletionCode(BaseModel):
    """The code that the browser brought to the completion URL."""

    Code: Filled


class Completed(BaseModel):
    """Where the browser goes on, once: ``/connectorauth/finished/{FinishId}``."""

    FinishId: str


class SignInToken(BaseModel):
    """A token that signs one browser in, once, within five minutes."""

    Token: str
    ExpiresAtUtc: str
    Hitchpost: SignInPromises | None = None


class NewProperty(BaseModel):
    """A property of an account connector, by its name."""

    Name: Filled
    Value: LongText = ""


class PropertyValue(BaseModel):
    """Another value for a property."""

    Value: LongText = ""


class Property(BaseModel):
    """A property that is set."""

    Id: int
    Name: str
    Value: str
    AccountConnectorId: int


class TypedBy(BaseModel):
    """The other values are what a user typed: ``SignIn`` is the SHA-256 of the sign-in token they stand for.

    Null where the connector goes on to a sign-in at the third party.
    """

    SignIn: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None


class ConnectorChange(BaseModel):
    """What may be set on an account connector; ``AuthValue`` authenticates it without a browser."""

    Name: Text | None = None
    Description: LongText | None = None
    AuthValue: Annotated[str, Field(max_length=16_000, pattern=r"^[^\x00-\x08\x0b-\x1f]*$")] | None = None
    Properties: list[NewProperty] = []
    Hitchpost: TypedBy | None = None


class ConnectorEntry(BaseModel):
    """A catalogue entry inside an account connector; one that has left the catalogue keeps id and name."""

    Id: int
    Name: str
    Description: str = ""
    Status: Literal["Approved", "Draft"] = "Approved"
    Version: str = ""
    Icon: str | None = None
    AuthDescription: str | None = None
    AuthType: Literal["OAuth2", "ApiKey", "Basic", "None"] = "None"
    OAuth2Type: Literal["AuthorisationCode", "ClientCredentials", "Unknown"] = "Unknown"
    AuthScheme: str | None = None


class Parameter(BaseModel):
    """A property that an account has to bring."""

    Id: int
    Name: str
    Description: str
    IsOptional: bool
    IsSensitive: bool
    IsAccountConnectorProperty: bool
    TargetType: str
    TargetName: str
    DataType: str
    TriggerName: str | None
    Values: list[Any]


class AskedField(BaseModel):
    """A value that a user types before a connector is connected."""

    Name: str
    Label: str
    Pattern: str | None
    Prefix: str
    Suffix: str
    Help: str
    HelpUrl: str | None
    Sensitive: bool
    Optional: bool


class WayIn(BaseModel):
    """How a connector is connected, and what is asked for: told here, and not by Cyclr."""

    Auth: Literal["oauth2", "api_key", "basic", "client_credentials", "none"]
    Fields: list[AskedField]


class Connector(ConnectorEntry):
    """A connector of the catalogue."""

    Parameters: list[Parameter]
    Authentication: list[Any]
    Categories: list[Any]
    Triggers: list[Any]
    IsSystemConnector: bool
    Hitchpost: WayIn


class SignIn(BaseModel):
    """What became of one sign-in token, told by its SHA-256."""

    TokenSha256: str
    Result: Literal["started", "connected", "declined", "failed"]
    Error: str | None
    AtUtc: str
    ExternalAccount: str | None
    Provider: Answered | None


class Answered(BaseModel):
    """What a third party said of a failure."""

    Endpoint: str
    Status: int | None
    Error: str | None
    Description: str | None


class GrantState(BaseModel):
    """How the grant of a connection stands."""

    State: Literal["connected", "needs_reconnect", "none"]
    Reason: str | None
    ExpiresAtUtc: str | None
    Scopes: list[str] | None
    WantedScopes: list[str]
    Extra: dict[str, str]


class SignIns(BaseModel):
    """What this service tells and Cyclr does not."""

    AuthenticatedAtUtc: str | None
    Scopes: list[str] | None
    Grant: GrantState
    LastSignIn: SignIn | None
    RecentSignIns: list[SignIn]


class AccountConnector(BaseModel):
    """A connector that is installed in an account."""

    Id: int
    Name: str
    Description: str | None
    AuthValue: str | None
    Authenticated: bool
    Connector: ConnectorEntry
    IsPartnerIntegrationConnector: bool
    Properties: list[Property]
    CustomFields: list[Any]
    Hitchpost: SignIns | None = None


class TokenWish(BaseModel):
    """``Force``: refresh the token although it seems good."""

    Force: bool | None = None


class ConnectionToken(BaseModel):
    """An access token of a third party that can be used now."""

    AccessToken: str
    TokenType: str
    ExpiresAtUtc: str | None
    Scopes: list[str] | None
    Extra: dict[str, str]


class Grant(BaseModel):
    """A live grant, or one that is still to be revoked at its third party."""

    State: Literal["live", "revocation pending", "revocation given up"]
    AccountId: str
    AccountConnectorId: int
    Name: str | None
    ExternalAccount: str | None
    AuthenticatedAtUtc: str | None
    Scopes: list[str] | None
    Error: str | None


class GrantsEnded(BaseModel):
    """How many connections were taken out of use, and how many grants are still to be revoked."""

    Deauthenticated: int
    RevocationsPending: int
