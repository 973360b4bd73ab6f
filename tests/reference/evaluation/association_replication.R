# Reference values of tests/evaluation/association/test_replication.py: Rscript
# association_replication.R, in this folder (metafor).
suppressPackageStartupMessages(library(metafor))
set.seed(20261125)
n <- 57
x <- matrix(rnorm(n * 5), n, dimnames = list(NULL, paste0("f", 1:5)))
x[, 2] <- round(x[, 2], 0)
genes <- x[, c(1, 1, 2, 3, 4, 5)] * rep(c(0.8, -0.5, 0.4, 0.1, 0.3, 1.5), each = n) + matrix(rnorm(n * 6), n)
colnames(genes) <- paste0("g", 1:6)
covariates <- cbind(volume = exp(x[, 1] + rnorm(n)), site = rep(0:1, length.out = n))
digits <- function(v) sprintf("%.17g", v)
write.csv(apply(cbind(x, genes, covariates), 2, digits), "association_replication_input.csv",
          row.names = FALSE, quote = FALSE)
pairs <- expand.grid(feature = colnames(x), target = colnames(genes), stringsAsFactors = FALSE)
pairs$r_first <- round(runif(nrow(pairs), -0.7, 0.7), 3)
pairs$n_first <- sample(40:130, nrow(pairs), TRUE)
control <- list(threshold = 1e-14, maxiter = 100000, tol = 1e-14)
out <- NULL
for (k in c(0, 2)) for (how in c("spearman", "pearson")) {
  prepare <- function(v) {
    others <- if (how == "spearman") apply(covariates, 2, rank) else covariates
    v <- if (how == "spearman") rank(v) else v
    if (k) residuals(lm(v ~ others)) else v
  }
  one <- NULL
  for (i in seq_len(nrow(pairs))) {
    r <- cor(prepare(x[, pairs$feature[i]]), prepare(genes[, pairs$target[i]]))
    free <- n - 2 - k
    t <- sign(pairs$r_first[i]) * r * sqrt(free / (1 - r^2))
    z <- atanh(c(pairs$r_first[i], r))
    v <- c(1 / (pairs$n_first[i] - 3 - k), 1 / (n - 3 - k))
    row <- data.frame(covariates = k, correlation = how, pairs[i, ], r_second = r,
                      p_second = pt(t, free, lower.tail = FALSE))
    for (method in c("REML", "DL")) {
      fit <- rma(z, v, method = method, control = control)
      found <- data.frame(tanh(c(fit$beta)), tanh(fit$ci.lb), tanh(fit$ci.ub), fit$pval, fit$I2 / 100)
      names(found) <- paste(tolower(method), c("pooled", "low", "high", "p", "i2"), sep = "_")
      row <- cbind(row, found)
    }
    one <- rbind(one, row)
  }
  one$fdr_second <- p.adjust(one$p_second, "BH")
  out <- rbind(out, one)
}
numbers <- setdiff(names(out), c("covariates", "correlation", "feature", "target", "r_first", "n_first"))
out[numbers] <- lapply(out[numbers], digits)
write.csv(out, "association_replication.csv", row.names = FALSE, quote = FALSE)
