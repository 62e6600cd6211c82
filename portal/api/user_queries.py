"""Which users does the administrator ask for? The contract's user query."""

from flask import Response

from portal.api import answers, auth, body, records
from portal.api.operations import Who, operation, vendor
from portal.api.payloads import UserQueryRequest
from portal.api.shapes import UserQueryAnswer
from portal.database import reading
from portal.services import user_queries
from portal.services.user_queries import UserQuery

_ANSWER = "UserQueryResponse"


@operation(
    "POST",
    "/apps/<app_id>/users/query",
    auth=Who.ADMIN,
    consumes={vendor("userqueryrequest"): UserQueryRequest},
    produces={(200, vendor(_ANSWER)): UserQueryAnswer},
)
def run(app_id: str) -> Response:
    """One page of the users that the clause describes; the key is absent on the last page."""
    payload = body.read(UserQueryRequest)
    ctx = auth.enter(reading(), app_id)
    found = user_queries.run(ctx, _query(payload))
    answer: dict[str, object] = {"results": [records.full(user, ctx.now) for user in found.users]}
    if found.next_key is not None:
        answer["nextPaginationKey"] = found.next_key
    return answers.write(answer, _ANSWER)


def _query(payload: UserQueryRequest) -> UserQuery:
    return UserQuery(
        clause=payload.user_query.clause,
        order_by=payload.user_query.order_by,
        descending=payload.user_query.descending,
        limit=payload.best_effort_limit or user_queries.MOST,
        pagination_key=payload.pagination_key,
    )
