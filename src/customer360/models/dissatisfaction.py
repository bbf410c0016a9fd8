"""Dissatisfaction read from the text of conversations, learnt from the brand's own surveys.

Some conversations are followed by a survey. What those who answered said, and how they
scored it, teaches a linear model to read all the others: TF-IDF of words and of letters
(slips of the keyboard keep most of their letters), the tone (`french_tone`), the manner
(exclamation, capitals, length) and what the adviser wrote down (reason, channel).

Those who answer are not those who call: the very happy and the very unhappy answer more.
Each answer is weighed by the inverse of its probability (Robins, Rotnitzky and Zhao 1994),
as far as the same text tells it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from threadpoolctl import threadpool_limits

from customer360.models.french_tone import CROSS, DENIALS, PLEASED

__all__ = [
    "DISSATISFIED_AT_MOST",
    "DissatisfactionModel",
    "can_learn",
    "fit_dissatisfaction",
    "match_surveys",
    "normalise_text",
    "rank_words",
    "score_customers",
]

# A survey answers the conversation that ended less than so long before it.
SURVEY_WITHIN = pd.Timedelta(hours=3)
DISSATISFIED_AT_MOST = 2  # of 5, the usual "top and bottom two boxes" of CSAT
LEAST_ANSWERS = 50
FOLDS = 3
MOST_WEIGHT = 5.0
REPEATED = "abcdefghijklmnopqrstuvwxyz!?"
# Words of fewer texts are not shown: they may be somebody's name.
LEAST_TEXTS, SHRINK_TEXTS = 10, 20
MANNERS = ("cross", "pleased", "denials", "exclamations", "questions", "capitals", "length")
CONTEXT = ("reason", "channel")
WORDS: dict[str, Any] = {"ngram_range": (1, 2), "token_pattern": r"[a-z0!?]+"}
LETTERS: dict[str, Any] = {"analyzer": "char_wb", "ngram_range": (3, 4)}


def normalise_text(text: pd.Series) -> pd.Series:
    """Lower case, no accents, any number as 0, no letter more than twice in a row.

    Examples
    --------
    >>> normalise_text(pd.Series(["INADMISSIBLE !!! Reçu le 12"])).to_list()
    ['inadmissible !! recu le 0']
    """
    letters = pc.utf8_normalize(pc.utf8_lower(pa.array(text.fillna(""), pa.string())), form="NFKD")
    letters = pc.replace_substring_regex(letters, r"\p{Mn}", "")
    letters = pc.replace_substring_regex(letters, r"[0-9]+", "0")
    letters = pc.replace_substring_regex(letters, r"[^a-z0!?]+", " ")
    for letter in REPEATED:
        letters = pc.replace_substring_regex(letters, f"[{letter}]{{3,}}", letter * 2)
    return pd.Series(pc.utf8_trim_whitespace(letters).to_pylist(), text.index, dtype="str")


def match_surveys(conversations: pd.DataFrame, surveys: pd.DataFrame) -> pd.DataFrame:
    """Give each conversation the CSAT score that answers it.

    Parameters
    ----------
    conversations : pandas.DataFrame
        Columns source, source_id, at, and any others.
    surveys : pandas.DataFrame
        Contract `staged.surveys`.

    Returns
    -------
    pandas.DataFrame
        The conversations in order of (at, source, source_id), with score (1 to 5; empty
        when nobody answered). An answer counts for the last conversation of the same
        record in the three hours before it.
    """
    keys = ["source", "source_id"]
    table = conversations.sort_values(["at", *keys], ignore_index=True).assign(
        row=lambda t: np.arange(len(t))
    )
    csat = surveys[(surveys["kind"] == "csat") & surveys["score"].notna()]
    csat = csat[[*keys, "at", "score"]].sort_values(["at", *keys], kind="stable")
    for frame in (table, csat):
        frame["at"] = frame["at"].astype("datetime64[us]")
    matched = pd.merge_asof(
        csat, table[[*keys, "at", "row"]], on="at", by=keys, tolerance=SURVEY_WITHIN
    ).dropna(subset="row")
    score = matched.drop_duplicates("row", keep="first").set_index("row")["score"]
    return table.assign(score=table["row"].map(score)).drop(columns="row")


@dataclass(frozen=True)
class DissatisfactionModel:
    """A linear model of text, as plain numbers.

    Attributes
    ----------
    words, letters : tuple of str
        Terms of the two TF-IDF blocks.
    word_idf, letter_idf : tuple of float
    word_weights, letter_weights, manner_weights : tuple of float
        Coefficients, of `MANNERS` for the last.
    context : tuple of str
        ``"reason=retard"`` and so on.
    context_weights : tuple of float
    telling, telling_lift : tuple of str, of float
        Words, and by how much the probability of the texts that hold them exceeds the
        average; from `rank_words`.
    intercept : float
    slope, offset : float
        Platt scaling: probability = 1 / (1 + exp(-(slope · score + offset))).
    """

    words: tuple[str, ...]
    word_idf: tuple[float, ...]
    word_weights: tuple[float, ...]
    letters: tuple[str, ...]
    letter_idf: tuple[float, ...]
    letter_weights: tuple[float, ...]
    manner_weights: tuple[float, ...]
    context: tuple[str, ...]
    context_weights: tuple[float, ...]
    telling: tuple[str, ...]
    telling_lift: tuple[float, ...]
    intercept: float
    slope: float = 1.0
    offset: float = 0.0

    def decision(self, frame: pd.DataFrame) -> np.ndarray:
        """Linear score of each row, before calibration."""
        plain = normalise_text(frame["text"])
        score = np.full(len(frame), self.intercept)
        score += _manner(frame["text"], plain) @ np.asarray(self.manner_weights)
        score += _context(frame, self.context) @ np.asarray(self.context_weights)
        for how, terms, idf, weights in (
            (WORDS, self.words, self.word_idf, self.word_weights),
            (LETTERS, self.letters, self.letter_idf, self.letter_weights),
        ):
            if terms:
                score += _tfidf(plain, how, terms, idf) @ np.asarray(weights)
        return score

    def predict(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Probability that each conversation leaves a customer dissatisfied.

        Parameters
        ----------
        frame : pandas.DataFrame
            Columns text, reason, channel; any of them may be empty in a row.

        Returns
        -------
        pandas.DataFrame
            dissatisfied_probability, on the index of `frame`.
        """
        linear = self.slope * self.decision(frame) + self.offset
        return pd.DataFrame(
            {"dissatisfied_probability": 1 / (1 + np.exp(-linear))}, index=frame.index
        )

    def telling_words(self, frame: pd.DataFrame, *, most: int = 3) -> pd.Series:
        """Words of each text that speak most of dissatisfaction, separated by ", "."""
        lift = {w: v for w, v in zip(self.telling, self.telling_lift, strict=True) if v > 0}
        texts = pd.DataFrame(
            {"row": np.arange(len(frame)), "word": normalise_text(frame["text"]).str.split()}
        )
        told = texts.explode("word").drop_duplicates()
        told = told.assign(lift=told["word"].map(lift)).dropna(subset="lift")
        told = told.sort_values(["row", "lift", "word"], ascending=[True, False, True])
        joined = told.groupby("row").head(most).groupby("row")["word"].agg(", ".join)
        return pd.Series(joined.reindex(range(len(frame))).fillna("").to_numpy(), frame.index)

    def save(self, path: Path) -> None:
        """Write the model as JSON."""
        text = json.dumps(asdict(self), ensure_ascii=False, indent=0)
        path.write_text(text + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> DissatisfactionModel:
        """Read a model written by `save`."""
        values = json.loads(Path(path).read_text(encoding="utf-8"))
        lists: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in values.items()
        }
        return cls(**{field.name: lists[field.name] for field in fields(cls)})


def fit_dissatisfaction(
    conversations: pd.DataFrame, *, strength: float, calibrate: bool = True
) -> DissatisfactionModel:
    """Learn from the conversations that were scored.

    Parameters
    ----------
    conversations : pandas.DataFrame
        From `match_surveys`: customer_id, text, reason, channel, score. Those without a
        score tell what words are common, and who answers.
    strength : float
        Inverse of the L2 penalty (C of logistic regression); a small one leans on tone and
        reason, a large one on the very words of these customers.
    calibrate : bool
        Weigh answers by who answers and fit the calibration, both across folds of
        customers. Without it only the ranking is good.

    Returns
    -------
    DissatisfactionModel

    Raises
    ------
    ValueError
        With fewer than `LEAST_ANSWERS` answers on either side.
    """
    table = conversations.reset_index(drop=True)
    answered = table["score"].notna().to_numpy()
    bad = (table["score"] <= DISSATISFIED_AT_MOST).to_numpy()[answered].astype(int)
    if not can_learn(table):
        raise ValueError(
            f"{bad.sum()} bad and {(1 - bad).sum()} other scores: at least {LEAST_ANSWERS} of "
            "each are needed to learn from"
        )
    plain = normalise_text(table["text"])
    least = 5 if len(table) > 5000 else 2
    blocks, vocabularies = [], []
    for how, most in ((WORDS, 8000), (LETTERS, 8000)):
        fitted = TfidfVectorizer(**how, min_df=least, sublinear_tf=True, max_features=most)
        blocks.append(fitted.fit_transform(plain))
        vocabularies.append((fitted.get_feature_names_out(), fitted.idf_))
    context = tuple(
        f"{name}={value}" for name in CONTEXT for value in sorted(table[name].dropna().unique())
    )
    dense = np.c_[_manner(table["text"], plain), _context(table, context)]
    matrix = hstack([*blocks, csr_matrix(dense)]).tocsr()
    labelled = matrix[np.flatnonzero(answered)]
    groups = table["customer_id"].to_numpy()
    with threadpool_limits(limits=1):
        weight = np.ones(len(bad))
        slope, offset = 1.0, 0.0
        if calibrate:
            weight = _answer_weights(csr_matrix(dense), answered, groups)
            apart = _across(labelled, bad, groups[answered], strength, weight)
            slope, offset = _platt(apart, bad, weight)
        fit = _logistic(strength).fit(labelled, bad, sample_weight=weight)
    sizes = [*(b.shape[1] for b in blocks), len(MANNERS), len(context)]
    parts = np.split(fit.coef_[0], np.cumsum(sizes)[:-1])
    (words, word_idf), (letters, letter_idf) = vocabularies
    model = DissatisfactionModel(
        words=tuple(map(str, words)),
        word_idf=_round(word_idf),
        word_weights=_round(parts[0]),
        letters=tuple(map(str, letters)),
        letter_idf=_round(letter_idf),
        letter_weights=_round(parts[1]),
        manner_weights=_round(parts[2]),
        context=context,
        context_weights=_round(parts[3]),
        telling=(),
        telling_lift=(),
        intercept=round(float(fit.intercept_[0]), 6),
        slope=round(slope, 6),
        offset=round(offset, 6),
    )
    probability = 1 / (1 + np.exp(-(slope * fit.decision_function(matrix) + offset)))
    told = rank_words(table["text"], probability)
    return replace(model, telling=tuple(told["word"].map(str)), telling_lift=_round(told["lift"]))


def can_learn(conversations: pd.DataFrame, *, least: int = LEAST_ANSWERS) -> bool:
    """Whether at least so many bad scores and so many others are there."""
    bad = (conversations["score"] <= DISSATISFIED_AT_MOST).sum()
    return bool(min(bad, conversations["score"].notna().sum() - bad) >= least)


def rank_words(text: pd.Series, probability: np.ndarray, *, most: int = 200) -> pd.DataFrame:
    """Words that go with dissatisfaction, and with its contrary.

    Coefficients do not tell: what one word says is spread over its letters, its neighbours
    and its tone. So the texts that hold a word are compared with all texts.

    Parameters
    ----------
    text : pandas.Series
    probability : array of float
        Of each text.
    most : int
        Words on each side.

    Returns
    -------
    pandas.DataFrame
        word, texts (that hold it), lift (their average probability less that of all,
        shrunk where they are few), from the most dissatisfied to the least.
    """
    average = float(np.mean(probability)) if len(text) else 0.0
    texts = pd.DataFrame(
        {"word": normalise_text(text).str.split().to_numpy(), "excess": probability - average}
    )
    texts["row"] = np.arange(len(texts))
    words = texts.explode("word").dropna(subset="word").drop_duplicates(["row", "word"])
    sums = words.groupby("word")["excess"].agg(["size", "sum"]).reset_index()
    table = pd.DataFrame(
        {
            "word": sums["word"],
            "texts": sums["size"],
            "lift": sums["sum"] / (sums["size"] + SHRINK_TEXTS),
        }
    )
    table = table[(table["word"].str.len() > 2) & (table["texts"] >= LEAST_TEXTS)]
    table = table.sort_values(["lift", "word"], ascending=[False, True], ignore_index=True)
    if 2 * most >= len(table):
        return table
    return pd.concat([table.head(most), table.tail(most)], ignore_index=True)


def score_customers(
    scored: pd.DataFrame, *, as_of: Any, half_life_days: float, period_days: int
) -> pd.DataFrame:
    r"""How dissatisfied each customer is today, from all it said.

    A conversation weighs less as it ages; the customer is content only if none of them
    left a mark that lasts: :math:`1 - \prod_k (1 - p_k\, 2^{-a_k/h})`, with :math:`p_k` the
    probability of conversation k, :math:`a_k` its age and h the half-life.

    Parameters
    ----------
    scored : pandas.DataFrame
        customer_id, at, dissatisfied_probability, words.
    as_of : date
        Conversations after it are not looked at.
    half_life_days : float
    period_days : int
        "Lately", for the count.

    Returns
    -------
    pandas.DataFrame
        One row per customer who talked: customer_id, dissatisfaction (probability),
        conversations (lately), last_probability, last_at, words (of the worst of the
        conversations, age counted).
    """
    end = pd.Timestamp(as_of) + pd.Timedelta(days=1)
    known = scored[scored["at"] < end].sort_values(["customer_id", "at"], kind="stable")
    age = (end - known["at"]).dt.total_seconds() / 86_400
    mark = known["dissatisfied_probability"] * 0.5 ** (age / half_life_days)
    known = known.assign(
        mark=mark, left=np.log1p(-mark.clip(upper=1 - 1e-9)), lately=age <= period_days
    )
    by = known.groupby("customer_id")
    worst = known.sort_values(["customer_id", "mark"], kind="stable").groupby("customer_id").tail(1)
    table = by.agg(
        dissatisfaction=("left", "sum"),
        conversations=("lately", "sum"),
        last_probability=("dissatisfied_probability", "last"),
        last_at=("at", "last"),
    ).reset_index()
    table["dissatisfaction"] = -np.expm1(table["dissatisfaction"])
    return table.merge(worst[["customer_id", "words"]], on="customer_id", validate="1:1")


# --- inside ----------------------------------------------------------------------------------


def _tfidf(plain: pd.Series, how: dict, terms: Sequence[str], idf: Sequence[float]) -> Any:
    """TF-IDF rows of unit length, as `TfidfVectorizer` makes them."""
    fitted = TfidfVectorizer(**how, sublinear_tf=True, vocabulary=list(terms))
    fitted.idf_ = np.asarray(idf, dtype=float)
    return fitted.transform(plain)


def _manner(text: pd.Series, plain: pd.Series) -> np.ndarray:
    """Tone and style of each text, in columns of `MANNERS`, all near 0 to 3."""
    raw = text.fillna("")
    spaced = " " + plain + " "
    capitals = raw.str.count(r"[A-ZÀ-Ý]") / raw.str.len().clip(lower=1)
    return np.c_[
        np.sqrt(_count(spaced, CROSS)),
        np.sqrt(_count(spaced, PLEASED)),
        np.sqrt(plain.str.count(rf"\b(?:{'|'.join(DENIALS)})\b").to_numpy(dtype=float)),
        raw.str.count("!").clip(upper=4).to_numpy(dtype=float),
        raw.str.count(r"\?").clip(upper=3).to_numpy(dtype=float),
        capitals.to_numpy(dtype=float),
        np.log1p(raw.str.len().to_numpy(dtype=float)) / 5,
    ]


def _count(spaced: pd.Series, stems: Sequence[str]) -> np.ndarray:
    """How often one of the stems occurs in each text."""
    found = pc.count_substring_regex(pa.array(spaced, pa.string()), pattern="|".join(stems))
    return found.to_numpy(zero_copy_only=False).astype(float)


def _context(frame: pd.DataFrame, context: Sequence[str]) -> np.ndarray:
    columns = [name.split("=", 1) for name in context]
    told = [(frame[name] == value).to_numpy(dtype=float, na_value=0.0) for name, value in columns]
    return np.stack(told, axis=1) if told else np.zeros((len(frame), 0))


def _logistic(strength: float) -> LogisticRegression:
    return LogisticRegression(C=strength, solver="liblinear", max_iter=300, random_state=0)


def _across(matrix: Any, label: np.ndarray, groups: np.ndarray, strength: float, weight: Any):
    """Score of each row by a model that has seen no conversation of its customer."""
    score = np.zeros(len(label))
    for learn, test in GroupKFold(FOLDS).split(label, groups=groups):
        fit = _logistic(strength).fit(matrix[learn], label[learn], sample_weight=weight[learn])
        score[test] = fit.decision_function(matrix[test])
    return score


def _answer_weights(matrix: Any, answered: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Inverse of the probability to answer, of those who did; 1 on average, and bounded.

    Tone, manner and reason tell who answers; single words would only add noise.
    """
    if answered.all():
        return np.ones(len(answered))
    ones = np.ones(len(answered))
    score = _across(matrix, answered.astype(int), groups, 1.0, ones)
    slope, offset = _platt(score, answered.astype(int), ones)
    share = 1 / (1 + np.exp(-(slope * score[answered] + offset)))
    weight = np.minimum(answered.mean() / share, MOST_WEIGHT)
    return weight / weight.mean()


def _platt(score: np.ndarray, label: np.ndarray, weight: np.ndarray) -> tuple[float, float]:
    fit = LogisticRegression(C=1e6).fit(score[:, None], label, sample_weight=weight)
    return float(fit.coef_[0, 0]), float(fit.intercept_[0])


def _round(values: Any) -> tuple[float, ...]:
    return tuple(round(float(v), 6) for v in values)
