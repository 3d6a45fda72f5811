"""REST of a study's photos: exports, changes of many, and uploads that can be gone on with."""

from threading import BoundedSemaphore
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, File, Request, Response, UploadFile
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from ml_service.errors import InvalidRequest, Unavailable
from web.domain.studies.batch import LISTED_AT_ONCE, Batch, BatchSummary, Item
from web.domain.studies.manifest import ManifestKind
from web.domain.studies.photos import PhotoFilter
from web.domain.studies.sweeps import Sweep, SweepAction
from web.http.edge.session import Admin, context
from web.http.serving.photos import photos_download
from web.http.wire.openapi import content, query_of
from web.services.operations import sweeps
from web.services.studies import batches
from web.services.studies.batches import Chosen
from web.services.studies.photos import every_photo

router = APIRouter(prefix="/api/v1", tags=["photos"])

_BATCH = TypeAdapter(Batch)
_SUMMARY = TypeAdapter(BatchSummary)
_ITEM = TypeAdapter(Item)
_SWEEP = TypeAdapter(Sweep)
UPLOAD_BYTES = 32_000_000
LIST_BYTES = 16_000_000
# As many photos are read at once: one thread of the server is always left for pages and raters.
_TURNS = BoundedSemaphore(3)


class SweepIn(BaseModel):
    """What is done with the photos of some ids or, where `all` is true, with all that `query` matches."""

    model_config = ConfigDict(extra="forbid")

    action: SweepAction
    argument: str = ""
    ids: list[str] = Field(default_factory=list)
    all: bool = False
    query: dict[str, str] = Field(default_factory=dict)


class BatchIn(BaseModel):
    """What an upload is called, such as the name of the folder that was chosen."""

    model_config = ConfigDict(extra="forbid")

    label: str


class ChosenIn(BaseModel):
    """One file that is to come."""

    model_config = ConfigDict(extra="forbid")

    path: str
    size: int


class ListIn(BaseModel):
    """Files that are to come."""

    model_config = ConfigDict(extra="forbid")

    files: list[ChosenIn] = Field(max_length=LISTED_AT_ONCE)


class Known(BaseModel):
    """What is known of a file: under which id its bytes are sent, what became of it, and the hash of what came."""

    id: str
    state: Literal["missing", "fetching", "added", "known", "refused"]
    sha256: str
    said: str


class ListOut(BaseModel):
    """What is known of each file that was listed, in the same order."""

    files: list[Known]


async def _body_text(request: Request) -> str:
    """Return the body as text, or raise InvalidRequest where it is none."""
    try:
        text = (await request.body()).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidRequest("A manifest must be text in UTF-8; save it so and send it again.") from error
    if "\x00" in text:
        raise InvalidRequest("A manifest may hold no NUL character.")
    return text


Manifest = Annotated[str, Depends(_body_text)]


@router.get(
    "/studies/{study_id}/photos.csv",
    response_class=StreamingResponse,
    responses={200: content("text/csv")},
    openapi_extra=query_of(PhotoFilter),
)
def photos_csv(request: Request, admin: Admin, study_id: str) -> StreamingResponse:
    """Return the photos that match the filters of the page as CSV, newest first."""
    wanted = PhotoFilter.read(request.query_params)
    lines = every_photo(context(request).parts, admin, study_id, wanted)
    return photos_download(lines)


@router.post("/studies/{study_id}/photos/change", responses={200: {"model": Sweep}})
def change(request: Request, admin: Admin, study_id: str, asked: SweepIn) -> Response:
    """Change many photos: a few at once, many by a job; the answer says how far it is."""
    wanted = PhotoFilter.read(asked.query) if asked.all else None
    parts = context(request).parts
    begun = sweeps.sweep(parts, admin, study_id, asked.action, ids=asked.ids, wanted=wanted, argument=asked.argument)
    return _json(_SWEEP, begun)


@router.post("/studies/{study_id}/batches", responses={200: {"model": Batch}})
def begin(request: Request, admin: Admin, study_id: str, named: BatchIn) -> Response:
    """Begin an upload, or go on with the open one of the same label."""
    return _json(_BATCH, batches.begin(context(request).parts, admin, study_id, named.label))


@router.get("/batches/{batch_id}", responses={200: {"model": BatchSummary}})
def summary(request: Request, admin: Admin, batch_id: str) -> Response:
    """Return how far an upload has come: items by state, and those refused with the reason."""
    return _json(_SUMMARY, batches.summary(context(request).parts, admin, batch_id))


@router.post("/batches/{batch_id}/files", responses={200: {"model": ListOut}}, max_body_size=LIST_BYTES)
def expect(request: Request, admin: Admin, batch_id: str, listed: ListIn) -> ListOut:
    """Note files that are to come; the answer says which have come already. The same list again changes nothing."""
    chosen = [Chosen(one.path, one.size) for one in listed.files]
    items = batches.expect(context(request).parts, admin, batch_id, chosen)
    return ListOut(files=[Known(id=one.id, state=one.state, sha256=one.sha256, said=one.said) for one in items])


@router.post(
    "/batches/{batch_id}/manifest",
    responses={200: {"model": BatchSummary}},
    max_body_size=LIST_BYTES,
    openapi_extra={"requestBody": {"required": True, **content("text/csv", "application/x-ndjson")}},
)
def manifest(request: Request, admin: Admin, batch_id: str, text: Manifest, folder: str = "") -> Response:
    """Note what a manifest lists, CSV or JSONL by its media type, its files from a folder; of one at fault, nothing."""
    kind: ManifestKind = "csv" if "csv" in request.headers.get("content-type", "") else "jsonl"
    return _json(_SUMMARY, batches.expect_listed(context(request).parts, admin, batch_id, text, kind, folder))


@router.put("/batches/items/{item_id}", responses={200: {"model": Item}}, max_body_size=UPLOAD_BYTES)
def receive(request: Request, admin: Admin, item_id: str, file: Annotated[UploadFile, File()]) -> Response:
    """Take the bytes of one file in; the answer says what became of it, and the same bytes again change nothing."""
    if not _TURNS.acquire(blocking=False):
        raise Unavailable("Other photos are being read; this one's turn comes in a moment.", retry_after=1)
    try:
        return _json(_ITEM, batches.receive(context(request).parts, admin, item_id, file.file.read()))
    finally:
        _TURNS.release()


@router.delete("/batches/{batch_id}", status_code=204)
def close(request: Request, admin: Admin, batch_id: str) -> Response:
    """Put an upload away: what has not come is not waited for; done twice, no error."""
    batches.close(context(request).parts, admin, batch_id)
    return Response(status_code=204)


def _json(adapter: TypeAdapter[Any], value: object, status: int = 200) -> Response:
    return Response(adapter.dump_json(value), status, media_type="application/json")
