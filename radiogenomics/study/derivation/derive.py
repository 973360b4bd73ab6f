"""Files → a derived signature, its evidence and its report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import yaml

from radiogenomics.core.cohort import Cohort
from radiogenomics.core.provenance import Provenance, hash_file, hash_text, versions
from radiogenomics.io import output_folder, read_gmt, read_hgnc
from radiogenomics.omics.identifiers import GeneNames
from radiogenomics.study.cohorts import load_cohorts
from radiogenomics.study.derivation.cells import read_cells
from radiogenomics.study.derivation.cohorts import Molecules, read_molecules
from radiogenomics.study.derivation.plan import DerivationPlan
from radiogenomics.study.derivation.protein import read_protein
from radiogenomics.study.derivation.signature import derive_signature
from radiogenomics.study.plan import plan_from
from radiogenomics.study.results import Results, without_identities, write_results
from radiogenomics.study.run import DEFAULT_SEED, collected_warnings


def derive(
    *,
    cohort: str | Path | Sequence[str | Path],
    endpoint: str,
    out: str | Path,
    external: Sequence[str | Path] | None = None,
    protein: str | Path | None = None,
    single_cell: str | Path | None = None,
    gene_sets: str | Path | None = None,
    hgnc: str | Path | None = None,
    plan: str | Path | None = None,
    name: str = "signature",
    data_root: str | Path | None = None,
    jobs: int | None = None,
    seed: int = DEFAULT_SEED,
) -> Results:
    """Derive a prognostic signature from cohorts, lock it, validate it in others; write the report.

    Parameters
    ----------
    cohort, endpoint, out
        Manifests, by path or shipped name, of the cohorts derived from; survival endpoint in all;
        output folder, which appears all at once or not at all.
    external, protein, single_cell
        Manifests of cohorts in which nothing is fitted, and of one with proteins; h5ad with counts.
    gene_sets, hgnc
        GMT with the sets that the plan names; HGNC complete set, for former symbols.
    plan, name, data_root, jobs, seed
        YAML of a :class:`~radiogenomics.study.derivation.plan.DerivationPlan`; of the signature;
        as in :func:`~radiogenomics.study.run.run`.

    Raises
    ------
    RadiogenomicsError
        The branch says what was wrong: plan, manifest, file, endpoint, genes, events.
    """
    chosen = plan_from(DerivationPlan, plan)
    manifests = [cohort] if isinstance(cohort, str | Path) else list(cohort)
    with output_folder(out) as writer:
        with collected_warnings() as caught:
            known = None if hgnc is None else GeneNames(read_hgnc(hgnc), Path(hgnc).name)
            reader = _Reader(chosen, endpoint, known, data_root)
            parts = reader.cohorts([*manifests, *(external or ())])
            proteins = None if protein is None else reader.protein(protein)
            cells = None if single_cell is None else read_cells(single_cell, chosen, known=known)
            supplied = read_gmt(gene_sets, repeated_genes="first") if gene_sets else {}
        n = len(manifests)
        results = derive_signature(
            parts[:n], chosen, external=parts[n:], protein=proteins, cells=cells,
            gene_sets=supplied, name=name, seed=seed, jobs=jobs,
        )  # fmt: skip
        files = [Path(p) for p in (gene_sets, hgnc, single_cell) if p is not None]
        hashes = reader.hashes | {path.name: hash_file(path) for path in files}
        recipe = _recipe(chosen, endpoint=endpoint, name=name)
        remarks = without_identities((("warning", text) for text in caught), reader.seen)
        findings = replace(results.findings, notes=results.findings.notes + remarks)
        provenance = Provenance(hashes, hash_text(recipe), seed, versions())
        results = replace(results, findings=findings, provenance=provenance)
        write_results(results, writer, recipe=recipe)
    return replace(results, folder=Path(out))


@dataclass(frozen=True, eq=False)
class _Reader:
    """Reads manifests one way, and keeps what was read for the provenance."""

    plan: DerivationPlan
    endpoint: str
    known: GeneNames | None
    data_root: str | Path | None
    seen: list[Cohort] = field(default_factory=list)
    hashes: dict[str, str] = field(default_factory=dict)

    def cohorts(self, manifests: Sequence[str | Path]) -> list[Molecules]:
        """Expression and survival of each."""
        found, hashes = load_cohorts(manifests, self.data_root)
        self.seen.extend(found)
        self.hashes.update(hashes)
        assay, endpoint, known = self.plan.assay, self.endpoint, self.known
        return [read_molecules(c, assay=assay, endpoint=endpoint, known=known) for c in found]

    def protein(self, manifest: str | Path) -> Molecules:
        """Proteins, and survival where there is any."""
        (measured,), hashes = load_cohorts([manifest], self.data_root)
        self.seen.append(measured)
        # The cohort may be one of those derived from.
        self.hashes.update({f"protein:{file}": value for file, value in hashes.items()})
        return read_protein(measured, self.plan, endpoint=self.endpoint, known=self.known)


def _recipe(plan: DerivationPlan, *, endpoint: str, name: str) -> str:
    """``study.yaml``, which can be handed in as a plan again."""
    asked = {
        "question": f"Which few genes foretell {endpoint}, and do they where they were not chosen?",
        "name": name,
        "endpoint": endpoint,
        "plan": plan.model_dump(mode="json"),
    }
    return yaml.safe_dump(asked, sort_keys=False)
