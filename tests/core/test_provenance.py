from __future__ import annotations

import copy
import hashlib
import json
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.errors import ChecksumError, MissingFileError
from radiogenomics.core.provenance import (
    Provenance,
    check_file,
    hash_file,
    hash_frame,
    hash_text,
    version,
    versions,
)

FRAME = pd.DataFrame({"KPNA2": [1.0, 2.0], "stage": ["I", None]}, index=["A", "B"])


def test_text_and_file_hashes_are_sha_256(tmp_path: Path) -> None:
    # FIPS 180-4: the message "abc".
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    (tmp_path / "abc").write_bytes(b"abc")
    assert hash_text("abc") == known
    assert hash_file(tmp_path / "abc") == known


def test_a_file_larger_than_one_piece_is_hashed_whole(tmp_path: Path) -> None:
    content = np.random.default_rng(3).bytes((1 << 20) * 2 + 17)
    (tmp_path / "large").write_bytes(content)
    assert hash_file(tmp_path / "large") == hashlib.sha256(content).hexdigest()


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"expected a file at .*absent; found none\. Check"):
        hash_file(tmp_path / "absent")
    with pytest.raises(MissingFileError):
        check_file(tmp_path / "absent", "0" * 64)


def test_checksum_mismatch_shows_both_and_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(b"abc")
    check_file(path, f"  {hash_text('abc').upper()}\n")
    with pytest.raises(
        ChecksumError, match=r"table\.csv: expected SHA-256 000000000000…; found ba7816bf8f01…\. .*"
    ) as caught:
        check_file(path, "0" * 64)
    assert "fetch it again, or correct the manifest" in str(caught.value)


def test_equal_frames_have_equal_hashes() -> None:
    assert hash_frame(FRAME) == hash_frame(FRAME.copy())
    assert hash_frame(FRAME) == hash_frame(FRAME.rename_axis("patient"))


@pytest.mark.parametrize(
    "changed",
    [
        FRAME[["stage", "KPNA2"]],
        FRAME.iloc[::-1],
        FRAME.rename(columns={"KPNA2": "SMG5"}),
        FRAME.rename(index={"A": "Z"}),
        FRAME.assign(KPNA2=[1.0, 2.0 + 1e-15 * 4]),
        FRAME.assign(KPNA2=[1, 2]),
        FRAME.assign(stage=["I", "II"]),
        FRAME.iloc[:1],
        FRAME[["KPNA2"]],
    ],
    ids=["columns", "rows", "name", "label", "value", "type", "missing", "shorter", "narrower"],
)
def test_every_difference_that_can_change_a_result_changes_the_hash(changed: pd.DataFrame) -> None:
    assert hash_frame(changed) != hash_frame(FRAME)


def test_swapped_column_names_are_noticed() -> None:
    twins = pd.DataFrame({"a": [1.0], "b": [1.0]})
    assert hash_frame(twins) != hash_frame(twins[["b", "a"]])


def test_hashes_do_not_depend_on_the_process() -> None:
    script = (
        "import pandas as pd; from radiogenomics.core.provenance import hash_frame;"
        "f = pd.DataFrame({'KPNA2': [1.0, 2.0], 'stage': ['I', None]}, index=['A', 'B']);"
        "import sys; sys.stdout.write(hash_frame(f))"
    )
    root = Path(__file__).resolve().parents[2]
    environment = {"PYTHONHASHSEED": "4711", "PATH": "", "PYTHONPATH": str(root)}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout == hash_frame(FRAME)


def provenance(**changes: object) -> Provenance:
    values: dict[str, object] = {
        "inputs": {"rna": "b", "clinical": "a"},
        "recipe": "r",
        "seed": 7,
        "versions": {"python": "3"},
    }
    return Provenance(**(values | changes))  # type: ignore[arg-type]


def test_equal_work_gives_equal_text_whatever_the_order() -> None:
    turned = provenance(inputs={"clinical": "a", "rna": "b"})
    assert turned == provenance()
    assert turned.to_json() == provenance().to_json()
    assert json.loads(turned.to_json()) == {
        "inputs": {"clinical": "a", "rna": "b"},
        "recipe": "r",
        "seed": 7,
        "versions": {"python": "3"},
    }
    assert provenance(seed=8) != provenance()


def test_inputs_cannot_be_changed_afterwards() -> None:
    inputs = {"rna": "b"}
    made = provenance(inputs=inputs)
    inputs["rna"] = "other"
    assert made.inputs["rna"] == "b"
    with pytest.raises(TypeError):
        made.inputs["rna"] = "other"  # type: ignore[index]


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda p: pickle.loads(pickle.dumps(p))])
def test_provenance_can_be_sent_to_another_process(copied) -> None:
    assert copied(provenance()) == provenance()


def test_versions_are_those_of_the_running_packages() -> None:
    found = versions()
    assert found["numpy"] == np.__version__
    assert found["pandas"] == pd.__version__
    assert found["python"].split(".")[:2] == [str(part) for part in sys.version_info[:2]]
    assert found["radiogenomics"] == version() != ""
