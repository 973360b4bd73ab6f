"""The page of all recipes, made from the recipes themselves."""

from __future__ import annotations

from radiogenomics.study.registry import study_list

HEAD = """# Analyses

One folder a published study, named `<author, journal or model><year>_<label>_<modality>`. A folder
is data: no Python, no patients, no paths.

| file | says |
|---|---|
| `study.yaml` | what was done, in the library's words. Each value has a `source` |
| `claims.csv` | what the paper claims: metric, model, part, number or bound, interval, where |
| `NOTES.md` | what the paper leaves unsaid and what stands in for it; what real data gave, if any |

| `source` | means |
|---|---|
| `paper`, `abstract` | stated there |
| `code` | read from the authors' code |
| `derived` | follows from what is stated |
| `default` | not public to us; ours, and marked so in every report |

A recipe of the kind `surrogate` derives a molecular signature and an imaging stand-in of it; one of
the kind `prediction` foretells a class or survival from blocks of features
([how](../docs/studies.md)).

    radiogenomics study list                      # this table
    radiogenomics study show NAME                 # every value and where it comes from
    radiogenomics run NAME --cohort MINE --out OUT        # on your patients
    radiogenomics run NAME --simulate --out OUT           # on simulated ones, see below
    radiogenomics compare OUT                     # claimed beside obtained, and how wide chance is
    radiogenomics study gallery --jobs 2          # all of them

## The studies

The table is made by `radiogenomics.study.studies_page`. Nothing here reproduces a paper's numbers:
their patients are not public. A claim of `>0.8` is a bound: the paper gives no number.

- `runs`: on your patients, and on simulated ones of the paper's design, of its numbers of patients.
- `runs, fixed size`: a surrogate study names no cohorts. `--simulate` draws the demonstration's 160
  patients with CT and 120 with MR, whatever the paper had; `compare` says so beside each number.
- Networks and frozen encoders of simulated cohorts are small and untaught: such a run shows that
  the path from scan to report holds, not what the paper's networks can do.
"""

TAIL = """
## A study of your own

Copy a folder, change `study.yaml`, and run it by its path: `radiogenomics run my/folder`.
An unknown word is an error that names the nearest known ones. If a study needs code, the library
lacks a function: it goes there, not here ([CONTRIBUTING](../CONTRIBUTING.md)).
"""


def studies_page() -> str:
    """Return the page ``analyses/README.md``: every recipe with its published claim and status.

    Examples
    --------
    >>> "[`lwctr2025_os12_ct`](lwctr2025_os12_ct/NOTES.md)" in studies_page()
    True
    """
    table = study_list()
    heads = ("study", *table.columns)
    lines = [_line(*heads), _line(*("---" for _ in heads))]
    for name, row in table.iterrows():
        lines.append(_line(f"[`{name}`]({name}/NOTES.md)", *map(str, row)))
    return "\n".join([HEAD, *lines, TAIL])


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
