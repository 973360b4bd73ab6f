# Reference values of tests/models/test_survival_beyond.py: Rscript survival_beyond.R, in this folder
# (survival, prodlim). Times are whole months, so deaths and censorings share them.
suppressPackageStartupMessages({ library(survival); library(prodlim) })
options(digits = 17)
all <- read.csv("survival_beyond_input.csv")
out <- list()
for (landmark in c(0, 3)) {
  d <- if (landmark > 0) all[all$time > landmark, ] else all
  km <- survfit(Surv(time, event) ~ 1, d)
  median <- unname(summary(km)$table["median"])
  kept <- prodlim(Hist(time, event) ~ 1, d, reverse = TRUE)
  for (months in c(median, 12, 24.5)) {
    known <- d$event == 1 | d$time >= months
    before <- pmax(pmin(d$time, months) - 1e-6, 0)
    asked <- sort(unique(before))  # predict() sorts times and does not say so
    weight <- ifelse(known, 1 / predict(kept, times = asked)[match(before, asked)], 0)
    out <- c(out, list(data.frame(landmark, median = sprintf("%.17g", median),
      months = sprintf("%.17g", months), row = as.integer(rownames(d)),
      weight = sprintf("%.17g", weight),
      survival = sprintf("%.17g", summary(km, times = months)$surv))))
  }
}
write.csv(do.call(rbind, out), "survival_beyond.csv", row.names = FALSE, quote = FALSE)
