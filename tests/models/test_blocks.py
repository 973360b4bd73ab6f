from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.errors import RadiogenomicsWarning, SchemaError, UnknownNameError
from radiogenomics.models.blocks import absent_blocks, block_positions, varies, with_absent_blocks

NAMES = ["shape", "texture", "AFP", "ALBI"]


def test_names_positions_prefix_and_nothing_find_the_same_columns():
    expected = {"ct": [0, 1], "clinical": [2, 3]}
    named = {"ct": NAMES[:2], "clinical": NAMES[2:]}
    prefixed = ["ct|shape", "ct|texture", "clinical|AFP", "clinical|ALBI"]
    for found in (
        block_positions(named, NAMES, n_columns=4),
        block_positions(expected, None, n_columns=4),
        block_positions("prefix", prefixed, n_columns=4),
    ):
        assert {block: columns.tolist() for block, columns in found.items()} == expected
    assert block_positions(None, NAMES, n_columns=4)["all"].tolist() == [0, 1, 2, 3]


def test_order_within_a_block_is_the_order_given():
    found = block_positions({"a": ["AFP", "shape"], "b": ["ALBI", "texture"]}, NAMES, n_columns=4)
    assert found["a"].tolist() == [2, 0]


def test_only_the_first_mark_parts_block_and_feature():
    found = block_positions("prefix", ["rna|A1BG|1", "rna|A2M|2"], n_columns=2)
    assert list(found) == ["rna"]


@pytest.mark.parametrize(
    ("blocks", "names", "error", "message"),
    [
        ({"ct": NAMES, "rna": []}, NAMES, SchemaError, "block 'rna': expected at least one column"),
        ({"ct": NAMES, "b": ["AFP"]}, NAMES, SchemaError, "found AFP more than once"),
        ({"ct": ["AFP", *NAMES]}, NAMES, SchemaError, "found AFP more than once"),
        ({"ct": NAMES[:2]}, NAMES, SchemaError, "found 2 in none: AFP, ALBI"),
        ({}, NAMES, SchemaError, "found 4 in none"),
        ({"ct": ["shpe", *NAMES[1:]]}, NAMES, UnknownNameError, "did you mean 'shape'"),
        (
            {"ct": ["glcm", "shape", "size"], "b": NAMES[1:]},
            NAMES,
            SchemaError,
            "block 'ct': expected its 3 columns in the table; found no glcm, size",
        ),
        ({"ct": [0, 1, 2, 7]}, None, UnknownNameError, "column of block 'ct' '7'"),
        ("prefix", ["ct|a", "AFP"], SchemaError, "found AFP"),
        ("prefix", ["ct|a", "|AFP"], SchemaError, r"found \|AFP"),
        ("prefix", None, SchemaError, "found no names"),
        ("prefx", NAMES, UnknownNameError, "did you mean 'prefix'"),
    ],
    ids=[
        "empty block",
        "column in two blocks",
        "column twice in one",
        "columns in none",
        "no blocks",
        "misspelt column",
        "absent columns",
        "position out of range",
        "name without prefix",
        "empty prefix",
        "prefix without names",
        "misspelt way",
    ],
)
def test_blocks_that_make_no_sense_are_refused(blocks, names, error, message):
    with pytest.raises(error, match=message):
        block_positions(blocks, names, n_columns=4)


def test_absent_is_all_of_a_block_missing_not_some():
    values = np.array([[1.0, np.nan, 3.0], [np.nan, np.nan, 3.0], [1.0, 2.0, np.nan]])
    positions = {"a": np.array([0, 1]), "b": np.array([2])}
    assert absent_blocks(values, positions).tolist() == [
        [False, False],
        [True, False],
        [False, True],
    ]


def test_what_varies():
    gaps = np.array([[1.0, np.nan], [1.0, np.nan], [np.nan, np.nan]])
    assert not varies(gaps)
    assert not varies(np.full((3, 2), np.nan))
    assert varies(np.array([[1.0, 5.0], [1.0, np.nan], [1.0, 6.0]]))


POSITIONS = {"ct": np.array([0, 1]), "clinical": np.array([2, 3])}
TABLE = pd.DataFrame([[1.0, 2.0, 3.0, 4.0]] * 2, columns=NAMES, index=["P1", "P2"])


def test_a_whole_block_may_be_absent_and_is_then_missing():
    with pytest.warns(RadiogenomicsWarning, match=r"no column of .* ct.*all 2 patients"):
        filled = with_absent_blocks(TABLE[NAMES[2:]].assign(**{"@site": "north"}), NAMES, POSITIONS)
    assert filled.columns.tolist() == [*NAMES, "@site"]
    assert filled.index.tolist() == ["P1", "P2"]
    assert filled[NAMES[:2]].isna().to_numpy().all()
    assert (filled[NAMES[2:]] == TABLE[NAMES[2:]]).to_numpy().all()


def test_tables_that_lack_nothing_pass_as_they_are():
    assert with_absent_blocks(TABLE, NAMES, POSITIONS) is TABLE
    values = TABLE.to_numpy()[:, 2:]
    assert with_absent_blocks(values, NAMES, POSITIONS) is values
    assert with_absent_blocks(TABLE, None, POSITIONS) is TABLE


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (TABLE[NAMES[1:]], "block 'ct': expected all of its 2 columns.*found no shape"),
        (TABLE[NAMES[2:]].assign(Shape=1.0), "found none of ct, and Shape that was not there"),
        (TABLE[[]], "found none of ct, clinical, and nothing"),
    ],
    ids=["a part of a block", "another name", "no block"],
)
def test_blocks_absent_in_part_or_under_other_names_are_refused(table, message):
    with pytest.raises(SchemaError, match=message):
        with_absent_blocks(table, NAMES, POSITIONS)
