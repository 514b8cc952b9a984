"""What rests in the database, and what the database itself refuses.

A session has exactly two participants who differ. Its items are one stream: seq 1 is the offer, 2 the
answer, then the messages; (session, seq) and (session, sender, n) exist once. All bodies are ciphertext.
Everything here dies with its session's `expires_at`, or with one of its two identities (docs/DELETION.md).
"""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Length
from django.db.models.lookups import Exact

ID_CHARS = 43  # SHA-256 in b64u
HALF_BYTES = 32


def _has_length(field: str, length: int, name: str) -> models.CheckConstraint:
    return models.CheckConstraint(condition=Exact(Length(field), length), name=name)


class Side(models.IntegerChoices):
    INITIATOR = 0, "initiator"
    RESPONDER = 1, "responder"


class State(models.TextChoices):
    """offered → open → ended; an ended session is a bare tombstone, so that its id is refused again."""

    OFFERED = "offered"
    OPEN = "open"
    ENDED = "ended"


class Why(models.TextChoices):
    """Why a session ended."""

    LEFT = "left"
    DECLINED = "declined"
    USED = "used"
    EXPIRED = "expired"
    ERASED = "erased"
    REMOVED = "removed"


class Place(models.TextChoices):
    """Which of the responder's places an offer takes while it waits; nothing where it was left unread."""

    LINK = "link"
    REQUEST = "request"


class Kind(models.TextChoices):
    OFFER = "offer"
    ANSWER = "answer"
    MESSAGE = "message"


class Session(models.Model):
    """One conversation of two. Its id is the hash of its offer, 43 characters of b64u."""

    id = models.CharField(primary_key=True, max_length=ID_CHARS)
    initiator = models.ForeignKey("accounts.Identity", models.CASCADE, related_name="sessions_begun")
    responder = models.ForeignKey("accounts.Identity", models.CASCADE, related_name="sessions_asked")
    state = models.CharField(max_length=7, choices=State, default=State.OFFERED)
    ended_why = models.CharField(max_length=8, choices=Why, blank=True, default="")
    place = models.CharField(max_length=7, choices=Place, blank=True, db_default="")
    ttl_seconds = models.PositiveIntegerField()
    last_seq = models.PositiveIntegerField(default=0)
    next_n_initiator = models.PositiveIntegerField(default=0)
    next_n_responder = models.PositiveIntegerField(default=0)
    stored_bytes = models.PositiveBigIntegerField(default=0)
    created_at = models.DateTimeField()
    last_activity_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            _has_length("id", ID_CHARS, "session_id_length"),
            models.CheckConstraint(condition=~Q(initiator=F("responder")), name="session_of_two"),
            models.CheckConstraint(condition=Q(state__in=State.values), name="session_state_known"),
            models.CheckConstraint(
                condition=Q(state=State.ENDED, ended_why__in=Why.values)
                | (~Q(state=State.ENDED) & Q(ended_why="")),
                name="session_ended_says_why",
            ),
            models.CheckConstraint(condition=Q(place__in=["", *Place.values]), name="session_place_known"),
            models.CheckConstraint(
                condition=Q(expires_at__gte=F("created_at")), name="session_expires_later"
            ),
        ]

    def __str__(self) -> str:
        return self.id


class Item(models.Model):
    """One stored ciphertext, at its place in the session's stream."""

    session = models.ForeignKey(Session, models.CASCADE, related_name="items", db_index=False)
    seq = models.PositiveIntegerField()
    sender = models.PositiveSmallIntegerField(choices=Side)
    kind = models.CharField(max_length=7, choices=Kind)
    n = models.PositiveBigIntegerField(null=True)
    body = models.BinaryField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["session", "seq"], name="item_seq_once"),
            models.UniqueConstraint(fields=["session", "sender", "n"], name="item_n_once"),
            models.CheckConstraint(condition=Q(seq__gte=1), name="item_seq_from_one"),
            models.CheckConstraint(condition=Q(sender__in=Side.values), name="item_sender_known"),
            models.CheckConstraint(
                condition=Q(kind=Kind.MESSAGE, n__isnull=False)
                | Q(kind=Kind.OFFER, n__isnull=True, seq=1, sender=Side.INITIATOR)
                | Q(kind=Kind.ANSWER, n__isnull=True, seq=2, sender=Side.RESPONDER),
                name="item_kind_in_its_place",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.session_id} {self.seq}"


class SealHalf(models.Model):
    """The server's half of one side's seal (PROTOCOL §9): 32 random bytes for one participant of one session.

    There is no foreign key to the session because the half is made before the offer leaves its browser.
    """

    session_id = models.CharField(max_length=ID_CHARS)
    participant = models.ForeignKey("accounts.Identity", models.CASCADE, related_name="seal_halves")
    half = models.BinaryField(max_length=HALF_BYTES)
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["session_id", "participant"], name="seal_half_once"),
            _has_length("session_id", ID_CHARS, "seal_half_session_length"),
            _has_length("half", HALF_BYTES, "seal_half_length"),
        ]

    def __str__(self) -> str:
        return f"{self.session_id} half"


class File(models.Model):
    """One file's ciphertext, uploaded in chunks. The table's place only: no code writes it yet."""

    id = models.CharField(primary_key=True, max_length=ID_CHARS)
    session = models.ForeignKey(Session, models.CASCADE, related_name="files")
    sender = models.PositiveSmallIntegerField(choices=Side)
    size = models.PositiveBigIntegerField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(sender__in=Side.values), name="file_sender_known")]

    def __str__(self) -> str:
        return self.id


class FileChunk(models.Model):
    """One chunk of a file's ciphertext, numbered from 0."""

    file = models.ForeignKey(File, models.CASCADE, related_name="chunks", db_index=False)
    index = models.PositiveIntegerField()
    body = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["file", "index"], name="file_chunk_once")]

    def __str__(self) -> str:
        return f"{self.file_id} {self.index}"


class Sweep(models.Model):
    """The one row that says when expired bytes were last freed."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    swept_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="sweep_is_one_row")]

    def __str__(self) -> str:
        return f"swept at {self.swept_at}"
