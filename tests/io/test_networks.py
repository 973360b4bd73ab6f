from __future__ import annotations

import pandas as pd
import pytest

from radiogenomics.core.errors import MissingFileError, SchemaError
from radiogenomics.io.networks import read_network


def write(text: str, path) -> object:
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "source,target,weight\nMYC,CDK1,1\nTP53,CDK1,-0.5\n"),
        ("b.tsv", "TF\tGene\tmor\tconfidence\nMYC\tCDK1\t1\tA\nTP53\t CDK1 \t-0.5\tB\n"),
        ("c.csv", "likelihood,weight,mor,symbol,pathway\n1,1,9,CDK1,MYC\n1,-0.5,9,CDK1,TP53\n"),
    ],
)
def test_edges_are_read_by_the_names_that_files_have(tmp_path, name, text) -> None:
    expected = pd.DataFrame(
        {"source": ["MYC", "TP53"], "target": ["CDK1", "CDK1"], "weight": [1.0, -0.5]}
    )
    pd.testing.assert_frame_equal(read_network(write(text, tmp_path / name)), expected)


def test_bad_files_are_named(tmp_path) -> None:
    path = tmp_path / "n.csv"
    with pytest.raises(MissingFileError):
        read_network(path)
    with pytest.raises(SchemaError, match="a column target .or gene.*found source, genes, weight"):
        read_network(write("source,genes,weight\nMYC,CDK1,1\n", path))
    with pytest.raises(SchemaError, match="a column weight .or mor.*Add one of 1"):
        read_network(write("source,target\nMYC,CDK1\n", path))
    with pytest.raises(SchemaError, match="found 1 of 2 rows without"):
        read_network(write("tf,target,weight\nMYC,CDK1,1\n,CDK1,1\n", path))
    with pytest.raises(SchemaError, match="numbers as mor; found 2 others .up, None"):
        read_network(write("tf,target,mor\nMYC,CDK1,up\nMYC,TP53,\nMYC,ALB,1\n", path))
