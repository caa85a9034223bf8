"""Keep reviewers' accounts: whoever has one can sign in, and still opens nothing."""

import re
import secrets
from collections.abc import Callable

from sqlalchemy import exists, func, insert, literal, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from hardening.clock import Clock, today
from hardening.database import Database
from keys.password import Passwords, PasswordTooLongError, new_passphrase, new_totp_secret, verify_totp
from reviewers.errors import LastAdminError, NameTakenError, NotFoundError, OnionKeyError, TooManyTriesError
from reviewers.guard import SignInGuard
from reviewers.names import display_name, skeleton
from reviewers.records import Credentials, Reviewer
from reviewers.tables import ArrivalRow, ReviewerRow, UnseenRow

# 32 bytes in base32, as tor writes a client key.
_ONION_KEY = re.compile(r"[A-Z2-7]{52}", re.ASCII)
_ID_BYTES = 16


class Accounts:
    """The accounts of one drop.

    Args:
        database: The reviewers' store, open for writing.
        passwords: Hashes and checks; its cost is the same for names that exist and names that do not.
        guard: Of this process.
        clock: Asked for codes, and for the day.
        random_bytes: The source of every id and secret.
    """

    def __init__(
        self,
        database: Database,
        passwords: Passwords,
        guard: SignInGuard,
        clock: Clock,
        random_bytes: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._database = database
        self._passwords = passwords
        self._guard = guard
        self._clock = clock
        self._random_bytes = random_bytes
        # A code is checked for unknown names too, against a secret that nobody has.
        self._nobody = new_totp_secret(random_bytes)

    def add(self, untrusted_name: str, untrusted_onion_key: str, *, is_admin: bool = False) -> Credentials:
        """Make an account; all submissions so far are new to it.

        Args:
            untrusted_name: The display name.
            untrusted_onion_key: The public half of the reviewer's own onion client key.
            is_admin: May manage accounts.

        Raises:
            DisplayNameError: The name could pass for another.
            NameTakenError: Somebody's name looks the same.
            OnionKeyError: The key is malformed, or somebody else's (C20).
        """
        name = display_name(untrusted_name)
        if not _ONION_KEY.fullmatch(untrusted_onion_key):
            raise OnionKeyError("an onion client key has 52 characters of base32")
        password, hashed = self._new_password()
        row = ReviewerRow(
            reviewer_id=self._random_bytes(_ID_BYTES).hex(),
            display_name=name,
            skeleton=skeleton(name),
            password_hash=hashed,
            totp_secret=new_totp_secret(self._random_bytes),
            onion_key=untrusted_onion_key,
            session_owner=self._random_bytes(_ID_BYTES),
            is_admin=is_admin,
            disabled=False,
            signed_in_day=None,
        )
        credentials = Credentials(_reviewer(row), password, row.totp_secret)
        try:
            with self._database.writing() as session:
                _refuse_taken(session, row)
                session.add(row)
                session.flush()
                _all_unseen(session, row.reviewer_id)
        except IntegrityError as error:
            raise NameTakenError("the name or the key was taken at the same moment") from error
        return credentials

    def reset(self, reviewer_id: str) -> Credentials:
        """Give an account a new password and a new code secret, and end its sessions.

        A disabled account stays disabled. The caller ends the sessions of the old `session_owner`.

        Raises:
            NotFoundError: There is no such account.
        """
        password, hashed = self._new_password()
        with self._database.writing() as session:
            row = _row(session, reviewer_id)
            row.password_hash = hashed
            row.totp_secret = new_totp_secret(self._random_bytes)
            row.session_owner = self._random_bytes(_ID_BYTES)
            return Credentials(_reviewer(row), password, row.totp_secret)

    def change_onion_key(self, reviewer_id: str, untrusted_onion_key: str) -> Reviewer:
        """Give an account another onion client key; the caller tells the tor.

        Raises:
            NotFoundError: There is no such account.
            OnionKeyError: The key is malformed, or another's already (C20). Her own may be given again.
        """
        if not _ONION_KEY.fullmatch(untrusted_onion_key):
            raise OnionKeyError("an onion client key has 52 characters of base32")
        try:
            with self._database.writing() as session:
                row = _row(session, reviewer_id)
                others = exists().where(
                    ReviewerRow.onion_key == untrusted_onion_key, ReviewerRow.reviewer_id != reviewer_id
                )
                if session.scalar(select(others)):
                    raise OnionKeyError("this onion client key belongs to another reviewer")
                row.onion_key = untrusted_onion_key
                return _reviewer(row)
        except IntegrityError as error:
            raise OnionKeyError("this onion client key was taken at the same moment") from error

    def disable(self, reviewer_id: str) -> Reviewer:
        """Close an account for good; the caller ends its sessions and revokes its onion key.

        Raises:
            NotFoundError: There is no such account.
            LastAdminError: It is the last one that can manage accounts.
        """
        with self._database.writing() as session:
            row = _row(session, reviewer_id)
            others = select(func.count()).where(
                ReviewerRow.is_admin, ~ReviewerRow.disabled, ReviewerRow.reviewer_id != reviewer_id
            )
            if row.is_admin and not row.disabled and not session.scalar(others):
                raise LastAdminError("this is the last account that can manage the others")
            row.disabled = True
            return _reviewer(row)

    def all(self) -> list[Reviewer]:
        """List the accounts by name."""
        with self._database.reading() as session:
            return [_reviewer(row) for row in session.scalars(select(ReviewerRow).order_by(ReviewerRow.display_name))]

    def by_id(self, reviewer_id: str) -> Reviewer:
        """Return an account.

        Raises:
            NotFoundError: There is none with this id.
        """
        with self._database.reading() as session:
            return _reviewer(_row(session, reviewer_id))

    def by_name(self, untrusted_name: str) -> Reviewer | None:
        """Return the account whose name looks like this one."""
        with self._database.reading() as session:
            row = session.scalar(select(ReviewerRow).where(ReviewerRow.skeleton == skeleton(untrusted_name)))
            return _reviewer(row) if row else None

    def sign_in(
        self, untrusted_name: str, untrusted_password: str, untrusted_code: str, circuit: int | None = None
    ) -> Reviewer | None:
        """Say whose name, password and code these are; none if any of them is wrong (C17).

        The work is the same for every answer: one Argon2id, one check of a code. The code is spent
        only when all was right. The sixth code within a minute is refused like a wrong one: anything else would say
        that the password is right.

        Args:
            untrusted_name: As it was typed.
            untrusted_password: The same.
            untrusted_code: The same.
            circuit: Which way she came, so that others who try her name do not make her wait (C23).

        Raises:
            TooManyTriesError: The sixth try for this name within a minute through this circuit; nothing was checked.
        """
        looks = skeleton(untrusted_name[:256])
        if not self._guard.may_try(looks, circuit):
            raise TooManyTriesError("this name was tried too often, wait a minute")
        with self._database.reading() as session:
            row = session.scalar(select(ReviewerRow).where(ReviewerRow.skeleton == looks))
        try:
            known = self._passwords.verify(untrusted_password, row.password_hash if row else None)
        except PasswordTooLongError:
            return None
        secret, last_step = self._nobody, 0
        if row is not None:
            secret, last_step = row.totp_secret, self._guard.last_step(row.reviewer_id, row.signed_in_day)
        step = verify_totp(secret, untrusted_code, self._clock.now(), last_step)
        if row is None or not known or not self._guard.may_guess(row.reviewer_id):
            return None
        if row.disabled or step is None or not self._guard.spend(row.reviewer_id, step):
            return None
        return self._signed_in(row)

    def _signed_in(self, checked: ReviewerRow) -> Reviewer | None:
        """Note the day, unless the account was disabled or reset while the password was being checked."""
        with self._database.writing() as session:
            row = _row(session, checked.reviewer_id)
            if row.disabled or row.session_owner != checked.session_owner:
                return None
            row.signed_in_day = today(self._clock)
            return _reviewer(row)

    def _new_password(self) -> tuple[str, str]:
        password = new_passphrase(self._randbelow)
        return password, self._passwords.hash(password)

    def _randbelow(self, limit: int) -> int:
        # 128 bits more than the limit needs: what the remainder prefers is beyond measure.
        return int.from_bytes(self._random_bytes((limit.bit_length() + 7) // 8 + 16)) % limit


def _refuse_taken(session: Session, wanted: ReviewerRow) -> None:
    if session.scalar(select(exists().where(ReviewerRow.skeleton == wanted.skeleton))):
        raise NameTakenError("there is a reviewer whose name looks the same")
    if session.scalar(select(exists().where(ReviewerRow.onion_key == wanted.onion_key))):
        raise OnionKeyError("this onion client key belongs to another reviewer")


def _all_unseen(session: Session, reviewer_id: str) -> None:
    columns = (ArrivalRow.submission_id, ArrivalRow.collection_id, ArrivalRow.day)
    session.execute(
        insert(UnseenRow).from_select(
            ["reviewer_id", "submission_id", "collection_id", "day"],
            select(literal(reviewer_id), *columns),
        )
    )


def _row(session: Session, reviewer_id: str) -> ReviewerRow:
    row = session.get(ReviewerRow, reviewer_id)
    if row is None:
        raise NotFoundError("there is no such reviewer")
    return row


def _reviewer(row: ReviewerRow) -> Reviewer:
    return Reviewer(row.reviewer_id, row.display_name, row.is_admin, row.disabled, row.onion_key, row.session_owner)
