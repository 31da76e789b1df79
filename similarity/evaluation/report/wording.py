"""Names and one-line explanations of metrics, for reports and pages."""

NAMES = {
    "recall@1": "Recall@1",
    "recall@5": "Recall@5",
    "recall@10": "Recall@10",
    "recall@100": "Recall@100",
    "precision@1": "Precision@1",
    "precision@5": "Precision@5",
    "precision@10": "Precision@10",
    "map@r": "mAP@R",
    "r_precision": "R-precision",
    "ndcg@10": "NDCG@10",
}

CALIBRATION = "Expected calibration error"
CALIBRATED = (
    "Mean difference between probabilities and the share that was right, over the first ten hits of all queries: 0 "
    "if 80 % of the hits with a probability of 80 % are right. Naeini et al., AAAI 2015; Guo et al., “On calibration "
    "of modern neural "
    "networks”, ICML 2017."
)
LEARNED_OWN = "Fitted on one half of the queries and measured on the other, and the other way round."
LEARNED_OTHERS = "Fitted on pictures of the gallery, and measured on these queries."

DEFINITIONS = {
    "recall@1": "Share of queries whose first hit is right.",
    "recall@5": "Share of queries with at least one right hit among the first 5.",
    "recall@10": "Share of queries with at least one right hit among the first 10.",
    "recall@100": "Share of queries with at least one right hit among the first 100.",
    "precision@1": "Share of first hits that are right: the same as Recall@1.",
    "precision@5": "Share of the first 5 hits that are right.",
    "precision@10": "Share of the first 10 hits that are right.",
    "map@r": "Precisions at the right hits among the first R, summed, divided by R: 1 if all R right ones come first.",
    "r_precision": "Share of the first R hits that are right.",
    "ndcg@10": "Right hits among the first 10, later ones counting less, as a share of the best there could be.",
}
