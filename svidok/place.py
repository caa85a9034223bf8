"""Where everything of a drop lies: the one page to read when looking for a file."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Place:
    """The folder of a drop; docs/architecture.md says which user owns what in it."""

    root: Path

    @property
    def settings(self) -> Path:
        """The settings file; only root changes it."""
        return self.root / "svidok.toml"

    @property
    def public(self) -> Path:
        """What anybody may read: who this drop is, and its alarms."""
        return self.root / "public"

    @property
    def identity(self) -> Path:
        """The drop's addresses and log key, for the workstation to pin."""
        return self.public / "drop.json"

    @property
    def alarms(self) -> Path:
        """What the keeper has to say."""
        return self.public / "alarms.json"

    @property
    def keys(self) -> Path:
        """The folder in which the keyset changes as a whole."""
        return self.root / "keyset"

    @property
    def keyset(self) -> Path:
        """The signed keyset that reports are sealed to."""
        return self.keys / "current"

    @property
    def statement(self) -> Path:
        """The drop's address and its reviewers' fingerprints, as text that two of them signed."""
        return self.keys / "statement"

    @property
    def forms(self) -> Path:
        """The questionnaire that sources are led through, and who approved it."""
        return self.root / "forms"

    @property
    def approvals(self) -> Path:
        """Which languages readers have approved, each signed by a reviewer."""
        return self.root / "approvals"

    @property
    def judge(self) -> Path:
        """A GnuPG home without keys, in which root checks a keyset before it is installed."""
        return self.root / "judge"

    @property
    def helplines(self) -> Path:
        """Who helps, country by country: what the drop says beside what the program brings; only root changes it."""
        return self.root / "help"

    @property
    def run(self) -> Path:
        """The sockets."""
        return self.root / "run"

    @property
    def source_socket(self) -> Path:
        """Where tor brings the sources."""
        return self.run / "source.sock"

    @property
    def journalist_socket(self) -> Path:
        """Where tor brings the reviewers."""
        return self.run / "journalist.sock"

    @property
    def source_broker(self) -> Path:
        """Where the source interface asks for a circuit to be closed."""
        return self.run / "broker-source.sock"

    @property
    def reviewer_broker(self) -> Path:
        """Where the journalist interface asks for reviewers' doors and promises."""
        return self.run / "broker-reviewer.sock"

    @property
    def source(self) -> Path:
        """What only the source interface may read."""
        return self.root / "source"

    @property
    def pepper(self) -> Path:
        """The site's secret share of every codename."""
        return self.source / "pepper"

    @property
    def recipients(self) -> Path:
        """The certificates of the keyset, as the files that gpg seals to."""
        return self.source / "recipients"

    @property
    def inbox(self) -> Path:
        """Sealed parts and their rows."""
        return self.root / "inbox"

    @property
    def outbox(self) -> Path:
        """Sealed replies and their rows."""
        return self.root / "outbox"

    @property
    def reviewers(self) -> Path:
        """Accounts, marks and the audit."""
        return self.root / "reviewers"

    @property
    def keeper(self) -> Path:
        """What only the keeper may read."""
        return self.root / "keeper"

    @property
    def log_key(self) -> Path:
        """The key that signs promises and checkpoints."""
        return self.keeper / "log.key"

    @property
    def onion(self) -> Path:
        """The keys of the two onion services."""
        return self.keeper / "onion"

    @property
    def tors(self) -> Path:
        """Where the tors live; `tor` tells the folder of one."""
        return self.keeper / "tor"

    @property
    def network(self) -> Path:
        """How further tors join the private network that an evaluation drop runs."""
        return self.public / "network.json"

    @property
    def services(self) -> Path:
        """How far the tors are."""
        return self.public / "services.json"

    def tor(self, service: str) -> Path:
        """The folder of one tor: `source`, `reviewer` or `client`."""
        return self.tors / service

    def database(self, store: str, url: str) -> str:
        """The database URL of *store* (`inbox`, `outbox`, `reviewers`): *url*, or SQLite beside its files."""
        return url or f"sqlite:///{self.root / store / store}.db"
