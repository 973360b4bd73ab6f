# Reference values of tests/stats/classification/: test_decision_curve.py, test_calibration_curve.py
# and test_calibration_tests.py. Packages survival, rms. Run in this folder: Rscript utility.R
# Writes its own simulated input (utility_input.csv) and what R says of it (utility.csv).
suppressMessages({library(survival); library(rms)})
set.seed(20250611)
rows <- list()
add <- function(model, name, value) {
  rows[[length(rows) + 1]] <<- data.frame(model, name, index = seq_along(value) - 1,
                                          value = sprintf("%.17g", as.vector(value)))
}

# Predictions too extreme; many ties; follow-up in quarter months, a third censored.
n <- 240
x <- rnorm(n)
label <- rbinom(n, 1, plogis(-0.8 + 0.9 * x))
p <- round(plogis(-0.6 + 1.6 * x), 3)
other <- round(plogis(-0.7 + 1.2 * x + 0.7 * rnorm(n) + 0.4 * label), 3)
death <- rexp(n, 0.025 * exp(0.7 * x)); end <- runif(n, 6, 70)
time <- ceiling(4 * pmin(death, end)) / 4
event <- as.integer(death <= end)
risk <- round(1 - exp(-24 * 0.03 * exp(0.9 * x)), 3)
risk2 <- round(1 - exp(-24 * 0.03 * exp(0.7 * x + 0.4 * rnorm(n))), 3)
input <- data.frame(label, p, other, time, event, risk, risk2)
write.csv(input, "utility_input.csv", row.names = FALSE, quote = FALSE)

# Net benefit by its formula; errors are those of a mean over patients (divided by n).
cuts <- c(0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 0.9)
add("net_benefit", "thresholds", cuts)
per_patient <- function(t) {
  w <- t / (1 - t)
  cbind(model = (p >= t) * (label - w * (1 - label)), treat_all = label - w * (1 - label))
}
of_mean <- function(v) c(mean(v), sqrt(sum((v - mean(v))^2)) / n)
for (what in c("model", "treat_all", "gain")) {
  found <- sapply(cuts, function(t) {
    v <- per_patient(t)
    of_mean(if (what == "gain") v[, 1] - v[, 2] else v[, what])
  })
  add("net_benefit", what, found[1, ])
  add("net_benefit", paste0(what, "_se"), found[2, ])
}

# With censoring: survfit among those at or above the threshold. The error joins the binomial
# variance of the share above with Greenwood's variance of the curve.
horizon <- 24
survival_benefit <- function(member, t) {
  w <- t / (1 - t)
  q <- mean(member)
  if (q == 0) return(c(0, 0))
  at <- summary(survfit(Surv(time, event) ~ 1, subset = which(member)), times = horizon)
  worth <- 1 - (1 + w) * at$surv
  c(q * worth, sqrt(q * (1 - q) * worth^2 / n + (q * (1 + w) * at$std.err)^2))
}
found <- sapply(cuts, function(t) survival_benefit(risk >= t, t))
add("survival_benefit", "model", found[1, ]); add("survival_benefit", "model_se", found[2, ])
found <- sapply(cuts, function(t) survival_benefit(rep(TRUE, n), t))
add("survival_benefit", "treat_all", found[1, ])
add("survival_benefit", "treat_all_se", found[2, ])

# Flexible calibration: logistic regression on a restricted cubic spline of the logit.
for (k in 3:5) {
  d <- data.frame(label, lp = qlogis(p))
  fit <- lrm(label ~ rcs(lp, k), data = d, eps = 1e-14, maxit = 50, tol = 1e-14)
  grid <- seq(0.03, 0.95, length.out = 24)
  pred <- predict(fit, data.frame(lp = qlogis(grid)), se.fit = TRUE)
  z <- qnorm(0.975)
  name <- paste0("curve_", k)
  add(name, "predicted", grid)
  add(name, "observed", plogis(pred$linear.predictors))
  add(name, "low", plogis(pred$linear.predictors - z * pred$se.fit))
  add(name, "high", plogis(pred$linear.predictors + z * pred$se.fit))
  add(name, "knots", fit$Design$parms$lp)
  gap <- abs(predict(fit, d, type = "fitted") - p)
  add(name, "distances", c(mean(gap), median(gap), quantile(gap, 0.9), max(gap)))
}

# Spiegelhalter's z by rms; Hosmer and Lemeshow with cuts at quantiles closed on the right.
validated <- val.prob(p, label, pl = FALSE)
add("spiegelhalter", "z", validated["S:z"]); add("spiegelhalter", "p", validated["S:p"])
for (g in c(5, 10)) {
  group <- cut(p, unique(quantile(p, seq(0, 1, 1 / g))), include.lowest = TRUE)
  observed <- cbind(tapply(label, group, sum), tapply(1 - label, group, sum))
  expected <- cbind(tapply(p, group, sum), tapply(1 - p, group, sum))
  chi <- sum((observed - expected)^2 / expected)
  add(paste0("hosmer_", g), "statistic", chi)
  add(paste0("hosmer_", g), "internal", pchisq(chi, g - 2, lower.tail = FALSE))
  add(paste0("hosmer_", g), "external", pchisq(chi, g, lower.tail = FALSE))
}
write.csv(do.call(rbind, rows), "utility.csv", row.names = FALSE, quote = FALSE)
