"""Intervals, paired tests and verdicts over columns of scores: numpy in, plain numbers out.

One cell's scores become an `Estimate`; two cells' scores on the same rows a `PairedComparison`; the
p-values of a table go through `holm`, and `verdict` says what one may claim. What people said of outputs
becomes a `Ranking` (pairs) or a `likert_mean`; a `Coefficient` says how far raters, or a metric and
raters, agree.
"""

from workbench.statistics.agreement import (
    cohen_kappa,
    fleiss_kappa,
    krippendorff_alpha,
    percent_agreement,
    rating_table,
)
from workbench.statistics.anytime import PairwiseEvidence, anytime_interval
from workbench.statistics.bradley_terry import Ranking, bradley_terry
from workbench.statistics.coefficients import Coefficient
from workbench.statistics.correlation import kendall, pairwise_accuracy, spearman
from workbench.statistics.intervals import (
    Estimate,
    Interval,
    bootstrap_mean,
    bootstrap_statistic,
    proportion,
    share_interval,
    wilson,
)
from workbench.statistics.likert import likert_mean
from workbench.statistics.multiple import holm
from workbench.statistics.non_inferiority import (
    NonInferiority,
    non_inferiority,
    non_inferiority_of,
    rows_for_margin,
)
from workbench.statistics.paired import (
    PairedComparison,
    compare_corpus,
    compare_paired,
    mcnemar_exact,
    paired_bootstrap,
    permutation_test,
    tango,
)
from workbench.statistics.pairs import AllPairs, compare_all_pairs
from workbench.statistics.planning import (
    LARGEST_DISCORDANCE,
    USUAL_DISCORDANCE,
    detectable_difference,
)
from workbench.statistics.prediction_powered import (
    PredictionPowered,
    prediction_powered_difference,
    prediction_powered_mean,
)
from workbench.statistics.scaling import gain_per_doubling
from workbench.statistics.uncertain_pairs import UncertainPairs, most_uncertain_pairs
from workbench.statistics.verdict import Verdict, open_confidence, rows_needed, verdict

__all__ = [
    "LARGEST_DISCORDANCE",
    "USUAL_DISCORDANCE",
    "AllPairs",
    "Coefficient",
    "Estimate",
    "Interval",
    "NonInferiority",
    "PairedComparison",
    "PairwiseEvidence",
    "PredictionPowered",
    "Ranking",
    "UncertainPairs",
    "Verdict",
    "anytime_interval",
    "bootstrap_mean",
    "bootstrap_statistic",
    "bradley_terry",
    "cohen_kappa",
    "compare_all_pairs",
    "compare_corpus",
    "compare_paired",
    "detectable_difference",
    "fleiss_kappa",
    "gain_per_doubling",
    "holm",
    "kendall",
    "krippendorff_alpha",
    "likert_mean",
    "mcnemar_exact",
    "most_uncertain_pairs",
    "non_inferiority",
    "non_inferiority_of",
    "open_confidence",
    "paired_bootstrap",
    "pairwise_accuracy",
    "percent_agreement",
    "permutation_test",
    "prediction_powered_difference",
    "prediction_powered_mean",
    "proportion",
    "rating_table",
    "rows_for_margin",
    "rows_needed",
    "share_interval",
    "spearman",
    "tango",
    "verdict",
    "wilson",
]
