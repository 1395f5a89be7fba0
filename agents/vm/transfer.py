"""How a guest is to be migrated: the parameters and virsh's options put together.

Called by ``migrate``. A migration_* parameter that is given wins over the word in
``migrate_options``. A wrong value costs its own effect and a line in the log, never the
migration: a failed migrate_to stops the guest, and its start would then fail over the
same typo on every node (decision 0012). The same goes for a wish that libvirt or QEMU
would refuse beside another one.
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
_OWN_PATH = ("migrateuri", "migrateport")
_POSTCOPY = ("postcopy", "postcopy-after-precopy", "timeout-postcopy")


class Wishes:
    """The values of one operation that tune its migration, read leniently."""

    def __init__(self, operation: Operation) -> None:
        self._operation = operation
        self._values = operation.values
        self._told = set[str]()
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
            "tls": self.tls,
        }
        transfer.flags = [name for name, wanted in flags.items() if wanted]
        transfer.flags += [name for name in _PASSED_FLAGS if options.flag(name)]
        for name in _PASSED_NUMBERS:
            if options.flag(name):
                transfer.parameters[name] = options.number(name)
        for name in _PASSED_TEXTS:
            if options.flag(name):
                transfer.parameters[name] = options.text(name)
        self._reconcile(transfer)
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
        wanted = self._flag("migration_postcopy", *_POSTCOPY)
        return wanted and self._mode() != TUNNELLED

    @property
    def tls(self) -> bool:
        """Tell whether the guest's memory is to be encrypted."""
        return self._flag("migration_tls", "tls")

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

    def _reconcile(self, transfer: Transfer) -> None:
        """Leave out what would be refused beside the rest, and say so.

        Source: the refusals of libvirt 9.0 and QEMU 7.2 themselves.
        """
        tunnelled = transfer.mode == TUNNELLED
        if tunnelled and transfer.parallel:
            transfer.parallel = 0
            self._say("a tunnelled migration has one connection; it is not parallel")
        if tunnelled and self._flag("migration_postcopy", *_POSTCOPY):
            self._say("a tunnelled migration cannot be switched to post-copy")
        given = [name for name in _OWN_PATH if self._values.given(name)]
        if tunnelled and (given or self.options.flag("migrateuri")):
            self._say("a tunnelled migration has no path of its own for the memory")
        if transfer.parallel and "mt" in transfer.compression:
            transfer.compression.remove("mt")
            self._say("mt cannot compress a parallel migration; it goes without")
        for method in ("mt", "xbzrle"):
            if method not in transfer.compression:
                self._untune(transfer, f"comp-{method}-")

    def _untune(self, transfer: Transfer, prefix: str) -> None:
        """Leave out the tuning of a compression that there is not."""
        for name in [n for n in transfer.parameters if n.startswith(prefix)]:
            del transfer.parameters[name]
            self._say(f"--{name} tunes a compression that is not used; no effect")

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
        self._say(f"{problem}; the migration goes on without it")

    def _say(self, sentence: str) -> None:
        """Log once what costs its own effect: the wishes are read more than once."""
        if sentence not in self._told:
            self._told.add(sentence)
            self._operation.log.error(sentence)
