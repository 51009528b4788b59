"""``hitchpost connections``: lists and ends the connections of an account."""

from __future__ import annotations

import argparse
from typing import Any

from bff.cli import audit
from bff.cli.connectors import quiet
from bff.cli.stored_services import stored_services
from bff.common.actors import OPERATOR
from bff.common.errors import InvalidRequest, NotFound
from bff.common.legible import visible_id
from bff.common.text import id_fault
from bff.connections.overview import Connection
from bff.content.product import Product
from bff.identity.principal import AccountRef
from bff.web.kit.services import Services


def add_commands(connections: Any) -> None:
    """Add the subcommands of ``hitchpost connections``."""
    listed = connections.add_parser("list", help="print what an account has connected, asked now")
    end = connections.add_parser(
        "disconnect", help="end a connection, at the partner service and where it can at the third party"
    )
    for command in (listed, end):
        command.add_argument("--product", required=True, metavar="KEY")
        command.add_argument("--account", required=True, metavar="ID", help="as the host calls it")
    end.add_argument("connection", metavar="ID", help="the connection's id, as the list has it")
    listed.set_defaults(run=_list)
    end.set_defaults(run=_disconnect)


@quiet()
def _list(arguments: argparse.Namespace) -> int:
    services, product, account = _place(arguments)
    found = services.connections.overview.connections(account, product.connectors)
    if not found:
        print(f"account {visible_id(account.id)} has no connections")
    for each in found:
        print(_line(each))
    return 0


def _disconnect(arguments: argparse.Namespace) -> int:
    with quiet():
        services, product, account = _place(arguments)
        connection = services.connections.service.find(account, product.connectors, arguments.connection)
        services.connections.ending.end(connection, OPERATOR)
    account_connector_id, connector = connection.row.account_connector_id, connection.offered.key
    audit.record(
        "disconnected",
        product=product.key,
        account=account.id,
        connector=connector,
        connection=account_connector_id,
    )
    print(f"disconnected {account_connector_id} ({connector})")
    return 0


def _place(arguments: argparse.Namespace) -> tuple[Services, Product, AccountRef]:
    if fault := id_fault(arguments.account):
        raise InvalidRequest(f"--account: {fault}")
    services = stored_services()
    product = services.products.get(arguments.product)
    if product is None:
        raise NotFound(f"--product: there is no product {arguments.product!r}")
    return services, product, AccountRef(arguments.account, arguments.account, product.key)


def _line(each: Connection) -> str:
    row = each.row
    parts = [str(row.account_connector_id), each.connector.key, each.state.value]
    if row.external_account:
        parts.append(f"as {row.external_account}")
    if row.connected_at:
        parts.append(f"since {row.connected_at:%Y-%m-%d %H:%M} UTC")
    if row.connected_by:
        parts.append(f"by {row.connected_by}")
    if row.reason:
        parts.append(f"({row.reason})")
    return "  ".join(parts)
