"""A scikit-learn classifier of patients by bags of instances."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from radiogenomics.core.errors import SchemaError, short_list
from radiogenomics.core.method import Method
from radiogenomics.core.provenance import version
from radiogenomics.core.row_order import refuse_other_order
from radiogenomics.core.scan_arrays import row_column
from radiogenomics.core.two_classes import two_classes
from radiogenomics.core.weight_file import read_weights, write_weights
from radiogenomics.models.deep.devices import pick_device, seeded
from radiogenomics.models.deep.multi_instance.bags import Bags
from radiogenomics.models.deep.multi_instance.fitting import (
    FittingRule,
    fit_network,
    inner_parts,
    scored,
)
from radiogenomics.models.deep.multi_instance.transformer import (
    MultiInstanceTransformer,
    TransformerSettings,
    bag_tensors,
)
from radiogenomics.models.ordered_classifier import OrderedClassifier

KIND, ARCHITECTURE = "network", "multi_instance_transformer"
# What is learnt from is stored with the weights; bags stay with their owner, and words for devices
# and progress say nothing about the network.
STORED = (
    "epochs",
    "batch_size",
    "learning_rate",
    "weight_decay",
    "validation_share",
    "patience",
)


class MultiInstanceClassifier(OrderedClassifier, BaseEstimator):
    r"""Two-class Transformer over a patient's slices of several sequences.

    Frozen features of many slices (ResNet50, say) are aggregated to one log-odds a patient; see
    :class:`MultiInstanceTransformer`. X says which patients: ``Bags.table()``, whose rows
    splitters may deal out as they like, since a row is a patient with all slices.

    Part of the patients given to ``fit`` is set aside, balanced by class; it teaches nothing, and
    the weights are kept that foretell it best. Means and deviations of the features are of the
    others. Patients scored later have no say in either.

    Parameters
    ----------
    bags
        Instances of all patients, of the training and of later ones.
    settings
        Sizes of the network; ``TransformerSettings()`` when not given.
    epochs
        Passes over the patients, at most.
    batch_size
        Patients a step.
    learning_rate, weight_decay
        Of AdamW.
    validation_share
        Part of each class set aside to stop early; 0 sets nobody aside and takes all ``epochs``.
    patience
        Passes without a gain on the patients set aside, after which fitting stops; None: never.
    device
        ``"auto"`` (a GPU where there is one), ``"cpu"``, ``"cuda"`` or ``"cuda:N"``.
    random_state
        Seed of first weights, order of patients, dropout and who is set aside. On a CPU the same
        seed gives the same network; torch's own generator is left as it was.

    Attributes
    ----------
    classes_ : ndarray, shape (2,)
        Labels, sorted; scores are for ``classes_[1]``.
    network_ : MultiInstanceTransformer
        The fitted network, in evaluation mode.
    sequences_ : tuple of str
        Sequences that it knows.
    history_ : DataFrame
        ``epoch, training_loss, validation_loss``; not kept in files.
    best_epoch_ : int
        Pass whose weights are kept.
    validation_patients_ : tuple of str
        Who was set aside; not kept in files.

    Raises
    ------
    OutcomeError
        The label has not exactly two classes, or a class has too few patients to set one aside.
    AlignmentError
        X has rows that are not in the bags, or one twice.
    SchemaError
        X has not one column of row numbers; bags of other sequences or width than were fitted.
    DataError
        A number in the parameters is not possible; a loss is not finite.
    StudyError
        A GPU is asked for and there is none.

    References
    ----------
    Chen et al., J Cancer 2025;16:2663. Ilse, Tomczak and Welling, Proc 35th Int Conf Mach Learn
    2018;80:2127.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> y = np.arange(12) % 2
    >>> bags = Bags.from_arrays({
    ...     f"P{n}": {"t2": rng.normal(size=(3, 4)) + 3 * label} for n, label in enumerate(y)
    ... })
    >>> model = MultiInstanceClassifier(bags, epochs=20, validation_share=0).fit(bags.table(), y)
    >>> model.score(bags.table(), y)
    1.0
    >>> model.attention_(bags.table()).sum(axis=1).round(3)[:2]
    array([1., 1.])
    """

    card: ClassVar[Method] = Method(
        name="multi_instance_transformer",
        title="Transformer over a patient's slices of several sequences, pooled by attention",
        scope="models: deep",
        reference="as in Chen et al., J Cancer 2025;16:2663",
        limits="Sizes are ours: the paper gives none, and its AUC of 1.000 was not explained. "
        "Needs hundreds of patients; another seed gives another network. Attention says where it "
        "looked, not why. Slices that other centres cut otherwise shift the features.",
        learns=True,
    )

    def __init__(
        self,
        bags: Bags,
        *,
        settings: TransformerSettings | None = None,
        epochs: int = 100,
        batch_size: int = 16,
        learning_rate: float = 1e-3,
        weight_decay: float = 0.01,
        validation_share: float = 0.2,
        patience: int | None = 20,
        device: str = "auto",
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.bags = bags
        self.settings = settings
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.validation_share = validation_share
        self.patience = patience
        self.device = device
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> Self:
        """Fit the network to the patients of X; ``y`` has two classes."""
        rule = FittingRule(
            epochs=self.epochs,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            patience=self.patience,
        )
        device = pick_device(self.device)
        refuse_other_order(X, y)
        values, label = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(label)
        self.classes_, code = two_classes(label)
        bags = self._bags_of(values)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        parts = inner_parts(code, self.validation_share, seed=seed)
        self.sequences_ = bags.sequences
        cohort = bag_tensors(bags)
        with seeded(seed, 0, device):
            network = MultiInstanceTransformer(
                self.settings or TransformerSettings(),
                n_features=bags.width,
                n_sequences=len(bags.sequences),
            )
            training = torch.as_tensor(parts.training)
            network.standardise_by(cohort.at(training, torch.device("cpu")))
            self.network_ = network.to(device)
            self.history_ = fit_network(
                network, cohort, code, parts=parts, rule=rule, device=device
            )
        losses = self.history_.set_index("epoch")["validation_loss"]
        self.best_epoch_ = int(losses.index[-1] if losses.isna().all() else losses.idxmin())
        self.validation_patients_ = tuple(bags.patient_ids[row] for row in parts.validation)
        return self

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Log-odds of ``classes_[1]``, shape (n,), not calibrated."""
        return self._scores(X)[0]

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Probability of each class, shape (n, 2), not calibrated."""
        second = expit(self.decision_function(X))
        return np.column_stack([1 - second, second])

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the likelier class."""
        above = self.decision_function(X) > 0
        found: NDArray[Any] = self.classes_[above.astype(int)]
        return found

    def attention_(self, X: Any) -> NDArray[np.float64]:
        """Weight of each instance in its patient's description, shape (n, instances).

        Each row sums to 1; padding has 0. Instances stand as in ``bags``. Where the layers have
        let instances inform each other, a weight is of an instance together with what it took in.
        """
        return self._scores(X)[1]

    def save(self, path: Path | str) -> Path:
        """Write the fitted network: ``NAME.safetensors`` and its card ``NAME.json``.

        Raises
        ------
        SchemaError
            The name ends otherwise, or a label is neither text nor a number.
        """
        check_is_fitted(self, "network_")
        network = self.network_
        arrays = {name: part.cpu().numpy() for name, part in network.state_dict().items()}
        card = {
            "kind": KIND,
            "architecture": ARCHITECTURE,
            "settings": asdict(self.settings or TransformerSettings()),
            "fitting": {name: getattr(self, name) for name in STORED},
            "sequences": list(self.sequences_),
            "n_features": len(network.mean),
            "classes": self.classes_.tolist(),
            "columns": list(map(str, getattr(self, "feature_names_in_", []))),
            "n_columns": self.n_features_in_,
            "best_epoch": self.best_epoch_,
            "trained": f"supervised, to tell {self.classes_[1]} from {self.classes_[0]}",
            "software": {"radiogenomics": version(), "torch": str(torch.__version__)},
        }
        return write_weights(path, arrays, card)

    @classmethod
    def load(cls, path: Path | str, *, bags: Bags) -> Self:
        """Read a network that :meth:`save` wrote, to score the patients of ``bags``.

        No code can be in such a file.

        Raises
        ------
        SchemaError
            The file is of something else, or its weights do not fit its card.
        MissingFileError, ChecksumError
            A file is missing, or not the one that was written.
        """
        arrays, card = read_weights(path)
        found = card.get("kind"), card.get("architecture")
        if found != (KIND, ARCHITECTURE):
            raise SchemaError(
                f"{Path(path).name}: expected a {KIND} {ARCHITECTURE!r}; found "
                f"{found[0]} {found[1]!r}. Read it with the class that wrote it."
            )
        try:
            settings = TransformerSettings(**card["settings"])
            model = cls(bags, settings=settings, **{name: card["fitting"][name] for name in STORED})
            network = MultiInstanceTransformer(
                settings, n_features=card["n_features"], n_sequences=len(card["sequences"])
            )
            model.classes_ = np.asarray(card["classes"])
            model.sequences_ = tuple(card["sequences"])
            model.n_features_in_ = int(card["n_columns"])
            model.best_epoch_ = int(card["best_epoch"])
            if card["columns"]:
                model.feature_names_in_ = np.array(card["columns"], dtype=object)
        except (KeyError, TypeError) as error:
            raise SchemaError(
                f"{Path(path).name}: expected the card of a {ARCHITECTURE!r}; found {error}. "
                "Get both files again."
            ) from error
        _take_weights(network, arrays, Path(path).name)
        model.network_ = network.eval()
        return model

    def _scores(self, X: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Log-odds and attention."""
        check_is_fitted(self, "network_")
        values = validate_data(self, X, dtype=np.float64, reset=False)
        bags = self._bags_of(values)
        if (bags.sequences, bags.width) != (self.sequences_, len(self.network_.mean)):
            raise SchemaError(
                f"expected bags of {short_list(self.sequences_)} with {len(self.network_.mean)} "
                f"features, as were fitted; found {bags!r}. Use the same encoder and sequences."
            )
        # In double precision a patient's score does not depend on who is scored beside.
        parts = list(scored(deepcopy(self.network_).double(), bag_tensors(bags)))
        logit, attention = (torch.cat(found).double().numpy() for found in zip(*parts, strict=True))
        return logit, attention

    def _bags_of(self, values: NDArray[np.float64]) -> Bags:
        """Bags of the patients that the table names."""
        names = getattr(self, "feature_names_in_", None)
        # A lone column without a name can only hold the rows: pipelines may lose names.
        column = (
            0
            if names is None and values.shape[1] == 1
            else row_column([] if names is None else names)
        )
        return self.bags.at(values[:, column])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags


def _take_weights(network: MultiInstanceTransformer, arrays: Any, name: str) -> None:
    """Load weights that fit in every name and shape."""
    wanted = {key: tuple(part.shape) for key, part in network.state_dict().items()}
    found = {key: tuple(array.shape) for key, array in arrays.items()}
    other = sorted(key for key in wanted.keys() | found.keys() if wanted.get(key) != found.get(key))
    if other:
        raise SchemaError(
            f"{name}: expected the {len(wanted)} weights of its card; found {len(other)} missing, "
            f"left over or of another shape ({short_list(other)}). Get both files again."
        )
    network.load_state_dict({key: torch.tensor(array) for key, array in arrays.items()})
