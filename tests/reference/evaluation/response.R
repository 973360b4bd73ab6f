# Reference values of tests/evaluation/test_response.py: Rscript response.R, in this folder
# (pROC for DeLong's variance, metafor for random effects).
suppressPackageStartupMessages({library(pROC); library(metafor)})
set.seed(20261122)
sizes <- c(a = 27, b = 69, c = 133, d = 24, e = 16)
effects <- c(a = 0.1, b = 1.3, c = 0.2, d = 1.6, e = -1.2)
input <- do.call(rbind, lapply(names(sizes), function(cohort) {
  n <- sizes[[cohort]]
  responder <- rbinom(n, 1, 0.4)
  data.frame(cohort = cohort, responder = responder,
             plain = signif(rnorm(n, effects[[cohort]] * responder), 12),
             tied = round(rnorm(n, 0.4 * responder) * 2) / 2)
}))
write.csv(input, "response_input.csv", row.names = FALSE, quote = FALSE)
written <- function(x) sprintf("%.17g", x)
rows <- NULL; spread <- NULL
for (name in c("plain", "tied")) {
  found <- sapply(names(sizes), function(cohort) {
    part <- input[input$cohort == cohort, ]
    r <- roc(part$responder, part[[name]], levels = c(0, 1), direction = "<", quiet = TRUE)
    c(as.numeric(r$auc), var(r, method = "delong"))
  })
  a <- found[1, ]; se <- sqrt(found[2, ]) / (a * (1 - a)); y <- qlogis(a); z <- qnorm(0.975)
  rows <- rbind(rows, data.frame(score = name, cohort = names(sizes), auc = written(a),
    low = written(plogis(y - z * se)), high = written(plogis(y + z * se)),
    p = written(2 * pnorm(-abs(y / se)))))
  m <- rma(yi = y, sei = se, method = "REML", control = list(threshold = 1e-12, maxiter = 1000))
  rows <- rbind(rows, data.frame(score = name, cohort = "pooled (random effects)",
    auc = written(plogis(m$b[1])), low = written(plogis(m$ci.lb)), high = written(plogis(m$ci.ub)),
    p = written(m$pval)))
  spread <- rbind(spread, data.frame(score = name, tau2 = written(m$tau2), i2 = written(m$I2 / 100),
    q = written(m$QE), q_p = written(m$QEp)))
}
write.csv(rows, "response.csv", row.names = FALSE, quote = FALSE)
write.csv(spread, "response_heterogeneity.csv", row.names = FALSE, quote = FALSE)
