"""Models of the JSON requests and responses, with Cyclr's field names.

In a request, a field of the wrong type counts as absent and an unknown field is ignored, as in Cyclr. Clients
should ignore unknown fields of responses.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

Text = Annotated[str, Field(max_length=255, pattern=r"^[^\x00-\x08\x0b-\x1f]*$")]
LongText = Annotated[str, Field(max_length=4000, pattern=r"^[^\x00-\x08\x0b-\x1f]*$")]
Filled = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^\x00-\x20][^\x00-\x08\x0b-\x1f]*$")]


class Message(BaseModel):
    """A refusal, or what was done."""

    Message: str


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


class NewProperty(BaseModel):
    """A property of an account connector, by its name."""

    Name: Filled
    Value: LongText = ""


class Property(BaseModel):
    """A property that is set. ``Value`` is null if it cannot be decrypted."""

    Id: int
    Name: str
    Value: str | None
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


class Choice(BaseModel):
    """One of the values that a field takes, and the text that users read."""

    Value: str
    Label: str


class AskedField(BaseModel):
    """A value that a user types before a connector is connected."""

    Name: str
    Label: str
    Pattern: str | None
    Choices: list[Choice]
    Prefix: str
    Suffix: str
    Help: str
    HelpUrl: str | None
    Sensitive: bool
    Optional: bool


class WayIn(BaseModel):
    """How a connector is connected, and the fields that users fill in. Cyclr does not report this."""

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
    """The result of one sign-in token, identified by its SHA-256."""

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
    """The state of a connection's grant."""

    State: Literal["connected", "needs_reconnect", "none"]
    Reason: str | None
    ExpiresAtUtc: str | None
    Scopes: list[str] | None
    WantedScopes: list[str]
    Extra: dict[str, str]


class SignIns(BaseModel):
    """What this service reports and Cyclr does not."""

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
