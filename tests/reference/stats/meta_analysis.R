# Reference values of tests/stats/test_meta_analysis.py: Rscript meta_analysis.R, in this folder (metafor).
suppressPackageStartupMessages(library(metafor))
options(digits = 17)
set.seed(20261123)
genes <- 60
cohorts <- 7
tau <- rep(c(0, 0.15, 0.6), length.out = genes)
error <- round(matrix(runif(genes * cohorts, 0.08, 0.5), genes), 4)
effect <- round(matrix(rnorm(genes * cohorts, rep(rnorm(genes, 0.3, 0.3), cohorts) +
                       rnorm(genes * cohorts, 0, tau), error), genes), 4)
for (g in 1:45) {                       # 1 to 6 cohorts present; the last genes have all 7
  absent <- sample(cohorts, if (g <= 3) 6 else if (g <= 9) 5 else if (g <= 21) 4 else g %% 3 + 1)
  effect[g, absent] <- NA
}
write.csv(data.frame(gene = rep(seq_len(genes), cohorts), cohort = rep(seq_len(cohorts), each = genes),
                     effect = as.vector(effect), error = as.vector(error)),
          "meta_analysis_input.csv", row.names = FALSE, quote = FALSE)
write <- function(x) if (is.null(x)) NA else signif(x, 17)
control <- list(threshold = 1e-14, maxiter = 100000, tol = 1e-14)
interval <- list(tau2.max = 1e4, tol = 1e-14, maxiter = 100000)
one <- function(g, method, test) {
  here <- !is.na(effect[g, ])
  y <- effect[g, here]
  v <- error[g, here]^2
  fit <- rma(y, v, method = method, test = test, control = control)
  bounds <- if (length(y) > 1 && method != "FE")
    suppressMessages(confint(fit, control = interval))$random else matrix(NA, 4, 3)
  data.frame(gene = g, method = method, test = test, k = fit$k, estimate = write(c(fit$beta)),
    standard_error = write(fit$se), statistic = write(fit$zval), p = write(fit$pval),
    low = write(fit$ci.lb), high = write(fit$ci.ub), q = write(fit$QE), q_p = write(fit$QEp),
    i2 = write(fit$I2) / 100, tau2 = write(fit$tau2),
    tau2_low = write(bounds[1, 2]), tau2_high = write(bounds[1, 3]),
    i2_low = write(bounds[3, 2]) / 100, i2_high = write(bounds[3, 3]) / 100)
}
out <- NULL
for (method in c("FE", "DL", "REML", "PM")) for (test in c("z", "knha", "adhoc")) for (g in 1:genes) {
  if (sum(!is.na(effect[g, ])) < 2 && test != "z") next
  out <- rbind(out, one(g, method, test))
}
gz <- gzfile("meta_analysis.csv.gz", "w")
write.csv(out, gz, row.names = FALSE, quote = FALSE)
close(gz)
