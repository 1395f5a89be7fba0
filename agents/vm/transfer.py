"""How a guest is to be migrated: the parameters and virsh's options put together.

Called by ``migrate``. A migration_* parameter that is given wins over the word in
``migrate_options``. A wrong value costs its own effect and a line in the log, never the
migration: a failed migrate_to stops the guest, and its start would then fail over the
same typo on every node (decision 0012).
"""

from __future__ import annotations

from vmha.agents.hypervisor.migration import DIRECT, P2P, TUNNELLED, Transfer
from vmha.agents.protocol.agent import Operation
from vmha.agents.protocol.errors import BadParameter
from vmha.agents.vm import virsh_options
from vmha.agents.vm.ladder import Ladder, Step
from vmha.agents.vm.virsh_options import Options

# virsh's words that are libvirt's flags and parameters without any meaning of ours.
_PASSED_FLAGS = (
    "copy-storage-synchronous-writes",
    "unsafe",
    "abort-on-error",
    "change-protection",
    "rdma-pin-all",
    "zerocopy",
)
_PASSED_NUMBERS = (
    "postcopy-bandwidth",
    "auto-converge-initial",
    "auto-converge-increment",
    "comp-mt-level",
    "comp-mt-threads",
    "comp-mt-dthreads",
    "comp-xbzrle-cache",
    "disks-port",
)
_PASSED_TEXTS = ("graphicsuri", "listen-address", "disks-uri", "tls-destination")


class Wishes:
    """The values of one operation that tune its migration, read leniently."""

    def __init__(self, operation: Operation) -> None:
        self._operation = operation
        self._values = operation.values
        self.options = self._read_options()

    def transfer(self) -> Transfer:
        """Return what the job is to be begun with, its URI and disks apart."""
        options = self.options
        transfer = Transfer(self._mode())
        transfer.bandwidth_mib_s = self._number("migration_speed", "bandwidth")
        transfer.compression = self._compression()
        transfer.parallel = self._parallel()
        transfer.copy = self._copy()
        transfer.disks = options.text("migrate-disks").replace(",", " ").split()
        flags = {
            "auto-converge": self._flag("migration_auto_converge", "auto-converge"),
            "postcopy": self.postcopy,
            "tls": self._flag("migration_tls", "tls"),
        }
        transfer.flags = [name for name, wanted in flags.items() if wanted]
        transfer.flags += [name for name in _PASSED_FLAGS if options.flag(name)]
        for name in _PASSED_NUMBERS:
            if options.flag(name):
                transfer.parameters[name] = options.number(name)
        for name in _PASSED_TEXTS:
            if options.flag(name):
                transfer.parameters[name] = options.text(name)
        return transfer

    def ladder(self) -> Ladder:
        """Return the rules for the job's time."""
        options = self.options
        postcopy = options.flag("timeout-postcopy")
        return Ladder(
            self._number("migration_downtime"),
            self._number("migration_downtime_max"),
            postcopy=self.postcopy,
            timeout_s=options.number("timeout"),
            on_timeout=Step.POSTCOPY if postcopy else Step.SUSPEND,
            after_first_pass=options.flag("postcopy-after-precopy"),
        )

    @property
    def postcopy(self) -> bool:
        """Tell whether the job may be switched to post-copy."""
        names = ("postcopy", "postcopy-after-precopy", "timeout-postcopy")
        return self._flag("migration_postcopy", *names)

    @property
    def downtime_ms(self) -> int:
        """Return the pause to begin with; 0 leaves the hypervisor's."""
        return self._number("migration_downtime")

    @property
    def unsafe(self) -> bool:
        """Tell whether the administrator answers for the disks (virsh's --unsafe)."""
        return self.options.flag("unsafe")

    def _read_options(self) -> Options:
        try:
            text = self._values.text("migrate_options")
        except BadParameter as problem:
            self._operation.log.error(f"{problem}; the migration goes on without it")
            text = problem.value
        options = virsh_options.parse(text)
        left_out = options.left_out()
        if left_out:
            self._operation.log.info(f"no effect here: {', '.join(left_out)}")
        return options

    def _mode(self) -> str:
        options = self.options
        mode = self._choice("migration_mode")
        if self._values.given("migration_mode") and mode:
            return mode
        if options.flag("tunnelled"):
            return TUNNELLED
        return P2P if options.flag("p2p") else DIRECT

    def _compression(self) -> list[str]:
        methods = self.options.text("comp-methods").replace(",", " ").split()
        if self._values.given("migration_compression"):
            method = self._choice("migration_compression")
            return [] if method in ("", "none") else [method]
        return methods or (["xbzrle"] if self.options.flag("compressed") else [])

    def _parallel(self) -> int:
        number = self._number("migration_parallel", "parallel-connections")
        given = self._values.given("migration_parallel")
        return number or int(self.options.flag("parallel") and not given) * 2

    def _copy(self) -> str:
        if self._values.given("migration_copy_storage"):
            method = self._choice("migration_copy_storage")
            return "" if method == "none" else method
        if self.options.flag("copy-storage-inc"):
            return "inc"
        return "all" if self.options.flag("copy-storage-all") else ""

    def _number(self, name: str, option: str = "") -> int:
        if option and self.options.flag(option) and not self._values.given(name):
            return self.options.number(option)
        try:
            return self._values.number(name)
        except BadParameter as problem:
            self._complain(problem)
            return 0

    def _flag(self, name: str, *options: str) -> bool:
        wanted = any(self.options.flag(option) for option in options)
        if wanted and not self._values.given(name):
            return True
        try:
            return self._values.flag(name)
        except BadParameter as problem:
            self._complain(problem)
            return False

    def _choice(self, name: str) -> str:
        try:
            return self._values.text(name)
        except BadParameter as problem:
            self._complain(problem)
            return ""

    def _complain(self, problem: BadParameter) -> None:
        self._operation.log.error(f"{problem}; the migration goes on without it")
