"""The script of the planted survival effect runs from end to end; what it finds is not judged."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import pytest
import torch

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "planted_survival.py"
NETWORKS = ("efficientnet_b1", "residual_autoencoder", "multi_plane_transformer")


@pytest.fixture
def script(monkeypatch):
    spec = importlib.util.spec_from_file_location("planted_survival", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    threads = torch.get_num_threads()
    yield module
    torch.set_num_threads(threads)


def test_it_runs_and_keeps_what_it_has(script, tmp_path, capsys):
    out = tmp_path / "planted.json"
    script.main(["--quick", "--out", str(out)])
    said = capsys.readouterr().out
    effect, nothing = json.loads(out.read_text())
    assert (effect["world"], nothing["world"]) == ("effect", "nothing")
    models = [row["model"] for row in effect["concordance"]]
    assert models[:3] == list(NETWORKS) and models[-2:] == ["clinical", "MMF"]
    assert len(effect["members"]) == 7 and len(effect["phases"]) == 3 * 4
    assert effect["truth"]["score"] > effect["truth"]["reading"] > 0.5
    assert nothing["truth"] == {"score": 0.5, "reading": 0.5} and not nothing["phases"]
    whole = {r["network"]: r["concordance"] for r in effect["phases"] if r["n_phases"] == 3}
    alone = {r["model"]: r["concordance"] for r in effect["concordance"]}
    assert whole == {word: alone[word] for word in NETWORKS}
    assert "SIMULATED" in said and said.count("| model | concordance |") == 2
    before = out.read_text()
    script.main(["--quick", "--out", str(out)])
    assert capsys.readouterr().out == said and out.read_text() == before
