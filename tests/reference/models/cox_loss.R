# Reference values of tests/models/deep/test_cox_loss.py: Rscript cox_loss.R, in this folder
# (survival). A Cox model without covariates and with the risks as offset has their log partial
# likelihood, and its martingale residuals are the derivatives of that by the risks.
suppressPackageStartupMessages(library(survival))
set.seed(20250608)
n <- 80
mild <- round(rnorm(n), 3)
death <- rexp(n, 0.04 * exp(mild))
end <- runif(n, 4, 40)
d <- data.frame(
  time = ceiling(pmin(death, end) / 1.5), event = as.integer(death <= end),
  flat = 0, mild = mild, few_values = round(mild), steep = round(rnorm(n, 40, 7), 2)
)
# One patient censored late, and a last event at which nobody else is at risk.
d$time[1:2] <- c(60, 61)
d$event[1:2] <- c(0, 1)
write.csv(d, "cox_loss_input.csv", row.names = FALSE, quote = FALSE)

rows <- list()
for (ties in c("efron", "breslow")) {
  for (risk in c("flat", "mild", "few_values", "steep")) {
    fit <- coxph(Surv(time, event) ~ offset(d[[risk]]), d, ties = ties)
    rows <- c(rows, list(data.frame(
      ties, risk, what = c("log_likelihood", rep("residual", n)), position = 0:n,
      value = sprintf("%.17g", c(fit$loglik[1], residuals(fit, type = "martingale")))
    )))
  }
}
write.csv(do.call(rbind, rows), "cox_loss.csv", row.names = FALSE, quote = FALSE)
