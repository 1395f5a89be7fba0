"""The identity record: root-only, atomic, and no witness when anything is odd."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmha.agents.protocol import files
from vmha.agents.vm.record import Record, RecordStore

RECORD = Record("vm1", "u-1", "qemu", "qemu:///system", "/srv/vm1.xml")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "records"


@pytest.fixture
def store(folder: Path) -> RecordStore:
    return RecordStore(str(folder))


def the_file(folder: Path) -> Path:
    (path,) = folder.iterdir()
    return path


def test_a_record_is_read_back_as_written(store: RecordStore) -> None:
    assert store.read("vm1") is None
    store.write("vm1", RECORD)
    assert store.read("vm1") == RECORD
    store.remove("vm1")
    assert store.read("vm1") is None
    store.remove("vm1")


def test_only_root_may_read_it(store: RecordStore, folder: Path) -> None:
    store.write("vm1", RECORD)
    assert the_file(folder).stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700


def test_the_same_record_is_not_written_twice(store: RecordStore, folder: Path) -> None:
    store.write("vm1", RECORD)
    first = the_file(folder).stat()
    store.write("vm1", RECORD)
    assert the_file(folder).stat().st_mtime_ns == first.st_mtime_ns
    assert the_file(folder).stat().st_ino == first.st_ino


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_record_that_others_could_have_written_counts_as_none(
    store: RecordStore, folder: Path, mode: int
) -> None:
    store.write("vm1", RECORD)
    the_file(folder).chmod(mode)
    assert store.read("vm1") is None
    assert store.others("vm2") == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_record_of_another_user_counts_as_none(
    store: RecordStore, folder: Path
) -> None:
    store.write("vm1", RECORD)
    os.chown(the_file(folder), 65534, 65534)
    assert store.read("vm1") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "name=vm1\nuuid=u-1\n",
        "name=\nuuid=u-1\ndriver=qemu\nuri=x\nsource=y\n",
        "name=vm1\nuuid=\ndriver=qemu\nuri=x\nsource=y\n",
        "no such lines at all",
        "name=vm1\nuuid=u-1\ndriver=qemu\nuri=qemu:///sys",
    ],
)
def test_a_damaged_record_counts_as_none(
    store: RecordStore, folder: Path, text: str
) -> None:
    store.write("vm1", RECORD)
    the_file(folder).write_text(text)
    assert store.read("vm1") is None


def test_bytes_that_are_no_text_count_as_none(store: RecordStore, folder: Path) -> None:
    store.write("vm1", RECORD)
    the_file(folder).write_bytes(b"\xff\xfe\x00")
    assert store.read("vm1") is None


def test_a_damaged_record_is_replaced(store: RecordStore, folder: Path) -> None:
    store.write("vm1", RECORD)
    the_file(folder).write_text("")
    store.write("vm1", RECORD)
    assert store.read("vm1") == RECORD


def test_others_are_all_but_one(store: RecordStore) -> None:
    other = Record("vm2", "u-2", "qemu", "qemu:///system", "vm2")
    store.write("vm1", RECORD)
    store.write("vm2", other)
    assert store.others("vm1") == [other]
    assert store.others("vm3") == [RECORD, other]


def test_without_a_folder_there_are_no_others(store: RecordStore) -> None:
    assert store.others("vm1") == []


def test_a_write_that_fails_leaves_the_old_record_and_no_rest(
    store: RecordStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write("vm1", RECORD)

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        store.write("vm1", Record("vm1", "u-2", "qemu", "qemu:///system", "x"))
    assert store.read("vm1") == RECORD
    assert len(list(folder.iterdir())) == 1


def test_a_half_written_file_is_never_a_record(
    store: RecordStore, folder: Path
) -> None:
    folder.mkdir()
    (folder / "vm1.guest.4711.new").write_text("name=vm1\nuuid=u-1\n")
    assert store.read("vm1") is None
    assert store.others("vm2") == []


def test_write_atomically_never_shows_a_part(tmp_path: Path) -> None:
    path = tmp_path / "file"
    files.write_atomically(str(path), "old")
    with path.open() as reader:
        files.write_atomically(str(path), "new", 0o640)
        assert reader.read() == "old"
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_link_planted_where_a_file_is_written_is_never_followed(
    tmp_path: Path,
) -> None:
    """In a folder that others can write, root would overwrite what it points to."""
    precious = tmp_path / "precious"
    precious.write_text("mine")
    planted = tmp_path / f"vm1.xml.{os.getpid()}.new"
    planted.symlink_to(precious)
    files.write_atomically(str(tmp_path / "vm1.xml"), "text")
    assert precious.read_text() == "mine"
    assert (tmp_path / "vm1.xml").read_text() == "text"
    assert not (tmp_path / "vm1.xml").is_symlink()


def test_a_file_that_appears_at_the_last_moment_is_not_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody who waits for the old one to be taken away plants his again."""
    precious = tmp_path / "precious"
    precious.write_text("mine")
    planted = tmp_path / f"vm1.xml.{os.getpid()}.new"
    planted.symlink_to(precious)
    monkeypatch.setattr(os, "unlink", lambda _path: None)
    with pytest.raises(FileExistsError):
        files.write_atomically(str(tmp_path / "vm1.xml"), "text")
    assert precious.read_text() == "mine"
    assert not (tmp_path / "vm1.xml").exists()


def test_a_half_written_file_of_a_process_that_died_is_replaced(tmp_path: Path) -> None:
    stale = tmp_path / f"vm1.xml.{os.getpid()}.new"
    stale.write_text("half of a lo")
    stale.chmod(0o666)
    files.write_atomically(str(tmp_path / "vm1.xml"), "text")
    assert (tmp_path / "vm1.xml").read_text() == "text"
    assert (tmp_path / "vm1.xml").stat().st_mode & 0o777 == 0o600
    assert not stale.exists()


NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


@given(first=NAMES, second=NAMES)
def test_instances_never_share_a_file(
    tmp_path_factory: pytest.TempPathFactory, first: str, second: str
) -> None:
    folder = tmp_path_factory.mktemp("names") / "records"
    store = RecordStore(str(folder))
    store.write(first, RECORD)
    assert [path.parent for path in folder.iterdir()] == [folder]
    assert (store.read(second) is None) == (first != second)


@given(name=NAMES, source=NAMES)
def test_any_name_comes_back_or_counts_as_one_line(
    tmp_path_factory: pytest.TempPathFactory, name: str, source: str
) -> None:
    store = RecordStore(str(tmp_path_factory.mktemp("values") / "records"))
    written = Record(name, "u-1", "qemu", "qemu:///system", source)
    store.write("vm1", written)
    read = store.read("vm1")
    assert read is None or read == written
    if not (set(name + source) - set("abcdefghijklmnopqrstuvwxyz =./-")):
        assert name == " " * len(name) or read == written


def test_a_start_that_was_begun_is_recorded_even_before_the_uuid_is_known(
    tmp_path: Path,
) -> None:
    store = RecordStore(str(tmp_path / "records"))
    begun = Record("vm1", "", "qemu", "qemu:///system", "/srv/vm1.xml", pending=True)
    store.write("vm1", begun)
    read = store.read("vm1")
    assert read == begun
    assert read is not None
    assert read.pending


def test_an_instance_is_held_by_one_action_until_it_ends(tmp_path: Path) -> None:
    store = RecordStore(str(tmp_path / "records"))
    assert not store.is_held("vm1", "starts")
    held = store.hold("vm1", "starts")
    assert held is not None
    assert store.hold("vm1", "starts") is None
    assert store.is_held("vm1", "starts")
    assert not store.is_held("vm2", "starts")
    os.close(held)
    assert not store.is_held("vm1", "starts")
