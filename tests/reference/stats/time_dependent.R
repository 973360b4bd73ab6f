# Reference values of time-dependent AUC, Brier score and index of prediction accuracy
# (riskRegression, pec), and of Heagerty's AUC by brute force from the formulas of
# Heagerty, Lumley & Pepe 2000. Run in this folder: Rscript time_dependent.R
suppressMessages({library(riskRegression); library(prodlim); library(pec); library(survival)})
set.seed(20250311)
digits <- function(x) sprintf("%.17g", x)

n <- 150
x <- round(rnorm(n), 2)
z <- round(0.5 * x + rnorm(n), 1)
death <- rexp(n, 0.05 * exp(0.7 * x))
end <- runif(n, 2, 60)
event <- as.integer(death <= end)
exact <- round(pmin(death, end), 5)
rounded <- 4 * ceiling(exact / 4)
times <- c(8, 16, 24, 30)
# Predicted survival, one right and one wrong model; z has ties.
good <- sapply(times, function(t) round(exp(-0.05 * t * exp(0.7 * x)), 6))
bad <- sapply(times, function(t) round(exp(-0.02 * t * exp(0.5 * z)), 6))
colnames(good) <- paste0("good_", times)
colnames(bad) <- paste0("bad_", times)
input <- data.frame(exact, rounded, event, x, z, good, bad)
write.csv(input, "time_dependent_input.csv", row.names = FALSE, quote = FALSE)

rows <- list()
add <- function(data, weights, model, quantity, time, value) {
  rows[[length(rows) + 1]] <<- data.frame(data, weights, model, quantity, time,
                                          value = digits(value))
}
for (data in c("exact", "rounded")) {
  d <- data.frame(time = input[[data]], status = event)
  for (conservative in c(TRUE, FALSE)) {
    weights <- if (conservative) "known" else "martingale"
    s <- Score(list(good = 1 - good, bad = 1 - bad), formula = Hist(time, status) ~ 1, data = d,
               times = times, conservative = conservative, cens.model = "km", keep = "vcov",
               summary = "ipa")
    auc <- as.data.frame(s$AUC$score)
    brier <- as.data.frame(s$Brier$score)
    for (m in c("good", "bad")) {
      own <- auc[auc$model == m, ]
      for (q in c("AUC", "se", "lower", "upper"))
        add(data, weights, m, paste0("auc_", tolower(q)), times, own[[q]])
    }
    for (m in c("Null model", "good", "bad")) {
      own <- brier[brier$model == m, ]
      for (q in c("Brier", "se", "lower", "upper", "IPA"))
        add(data, weights, m, paste0("brier_", tolower(q)), times, own[[q]])
    }
    test <- as.data.frame(s$AUC$contrasts)
    for (q in c("delta.AUC", "se", "lower", "upper", "p"))
      add(data, weights, "bad-good", paste0("auc_", q), times, test[[q]])
    # Standard errors of combinations of scores, from their covariance over models and times.
    v <- s$Brier$vcov
    k <- length(times)
    b0 <- brier$Brier[brier$model == "Null model"]
    halves <- diff(times) / (2 * (times[k] - times[1]))
    w <- c(halves, 0) + c(0, halves)
    for (m in 1:2) {
      b1 <- brier$Brier[brier$model == c("good", "bad")[m]]
      name <- c("good", "bad")[m]
      own <- m * k + 1:k
      for (i in 1:k) {
        g <- c(b1[i] / b0[i]^2, -1 / b0[i])
        part <- v[c(i, own[i]), c(i, own[i])]
        add(data, weights, name, "ipa_se", times[i], sqrt(drop(t(g) %*% part %*% g)))
      }
      add(data, weights, name, "ibs", 0, sum(w * b1))
      add(data, weights, name, "ibs_se", 0, sqrt(drop(t(w) %*% v[own, own] %*% w)))
      g <- c(w * sum(w * b1) / sum(w * b0)^2, -w / sum(w * b0))
      both <- c(1:k, own)
      add(data, weights, name, "integrated_ipa", 0, 1 - sum(w * b1) / sum(w * b0))
      add(data, weights, name, "integrated_ipa_se", 0, sqrt(drop(t(g) %*% v[both, both] %*% g)))
    }
  }
  p <- pec(list(good = good, bad = bad), formula = Hist(time, status) ~ 1, data = d, times = times,
           exact = FALSE, start = NULL, cens.model = "marginal", verbose = FALSE)
  for (m in names(p$AppErr)) add(data, "pec", m, "brier_brier", times, p$AppErr[[m]])
}

# Heagerty: every patient and cutoff in a loop, curves as products over event times.
curve_at <- function(time, event, t) {
  s <- 1
  for (u in sort(unique(time[event == 1 & time <= t])))
    s <- s * (1 - sum(time == u & event == 1) / sum(time >= u))
  s
}
area <- function(fp, tp) sum((fp[-length(fp)] - fp[-1]) * (tp[-length(tp)] + tp[-1]) / 2)
by_kaplan_meier <- function(risk, time, event, t) {
  s <- curve_at(time, event, t)
  cuts <- c(-Inf, sort(unique(risk)))
  tp <- fp <- numeric(length(cuts))
  for (j in seq_along(cuts)) {
    over <- risk > cuts[j]
    s_over <- if (any(over)) curve_at(time[over], event[over], t) else 1
    s_under <- if (any(!over)) curve_at(time[!over], event[!over], t) else 1
    tp[j] <- (1 - s_over) * mean(over) / (1 - s)
    fp[j] <- 1 - s_under * mean(!over) / s
  }
  area(fp, tp)
}
by_neighbours <- function(risk, time, event, t, span) {
  # Counts, not shares: a difference of exactly the span must not depend on rounding.
  count <- sapply(risk, function(r) sum(risk <= r))
  own <- sapply(seq_along(risk), function(i) {
    near <- abs(count - count[i]) < span * length(risk)
    curve_at(time[near], event[near], t)
  })
  cuts <- c(-Inf, sort(unique(risk)))
  joint <- sapply(cuts, function(c) mean(own * (risk > c)))
  over <- sapply(cuts, function(c) mean(risk > c))
  area(joint / joint[1], (over - joint) / (1 - joint[1]))
}
for (data in c("exact", "rounded")) for (t in times) for (r in c("x", "z")) {
  time <- input[[data]]
  add(data, "none", r, "kaplan_meier", t, by_kaplan_meier(input[[r]], time, event, t))
  for (span in c(0.25 * n^-0.2, 0.031, 0.3))
    add(data, sprintf("%.17g", span), r, "nearest_neighbour", t,
        by_neighbours(input[[r]], time, event, t, span))
}
write.csv(do.call(rbind, rows), "time_dependent.csv", row.names = FALSE, quote = FALSE)
