"""The Studio, in which product teams edit, preview, try and publish texts, messages and looks."""

from __future__ import annotations

from flask import Blueprint

from bff.content.draft_limits import NotSaved
from bff.web.kit.guards import refuse_faulty_fields
from bff.web.studio import (
    connectors,
    live,
    look_page,
    message_page,
    preview,
    publishing,
    tryout,
    versions,
    webhooks,
    words_page,
)
from bff.web.studio import (
    sign_in as doors,
)
from bff.web.studio.access import allow_more, protect, require_same_origin, require_session
from bff.web.studio.errors import trouble
from bff.web.studio.unsaved import not_saved

routes = Blueprint("studio", __name__, url_prefix="/studio")
routes.before_request(require_same_origin)
routes.after_request(protect)
routes.register_error_handler(Exception, trouble)
routes.register_error_handler(NotSaved, not_saved)

_rooms = Blueprint("rooms", __name__)
_rooms.before_request(allow_more)
_rooms.before_request(require_session)
_rooms.before_request(refuse_faulty_fields)
_rooms.post("/sign-out")(doors.sign_out)
for _module in (
    message_page,
    words_page,
    look_page,
    connectors,
    live,
    preview,
    tryout,
    publishing,
    versions,
    webhooks,
):
    _rooms.register_blueprint(_module.routes)

routes.register_blueprint(doors.routes)
routes.register_blueprint(_rooms)
