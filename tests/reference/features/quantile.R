# Reference values of tests/features/test_quantile.py: Rscript quantile.R, in this folder (limma).
suppressPackageStartupMessages(library(limma))
set.seed(20270312)
n <- 9
p <- 31
x <- exp(matrix(rnorm(n * p, 1, 0.8), n) + rnorm(n, 0, 0.4))
x <- matrix(as.numeric(sprintf("%.17g", x)), n)
tied <- round(x)
gaps <- x
gaps[sample(n * p, 40)] <- NA
gaps[1, ] <- x[1, ]
tied_gaps <- round(gaps)
show <- function(case, m) {
  values <- matrix(sprintf("%.17g", m), nrow(m))
  values[is.na(m)] <- ""
  colnames(values) <- paste0("g", seq_len(p))
  data.frame(case = case, patient = paste0("P", seq_len(n)), values)
}
cases <- list(full = x, tied = tied, gaps = gaps, "tied gaps" = tied_gaps)
rows <- function(f) do.call(rbind, lapply(names(cases), function(k) show(k, f(cases[[k]]))))
write.csv(rows(identity), "quantile_input.csv", row.names = FALSE, quote = FALSE)
write.csv(rows(function(m) t(normalizeQuantiles(t(m), ties = TRUE))), "quantile_average.csv",
          row.names = FALSE, quote = FALSE)
# How limma orders tied values is left to its sort, so these are for data without ties.
cases <- cases[c("full", "gaps")]
write.csv(rows(function(m) t(normalizeQuantiles(t(m), ties = FALSE))), "quantile_order.csv",
          row.names = FALSE, quote = FALSE)
# Normal scores of each column, ties at their mean rank.
cases <- list(full = x, tied = tied, gaps = gaps)
blom <- function(v) qnorm((rank(v, na.last = "keep") - 3 / 8) / (sum(!is.na(v)) + 1 / 4))
write.csv(rows(function(m) apply(m, 2, blom)), "normal_scores.csv", row.names = FALSE, quote = FALSE)
