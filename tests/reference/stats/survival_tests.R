# Reference values of weighted log-rank tests, the trend test and restricted mean survival times.
# Packages survival and coin. Run in this folder: Rscript survival_tests.R
# Reads survival_input.csv (made by survival.R); writes restricted_mean_pbc.csv, which is a part of
# the data set pbc of the package survival, and what R says.
suppressMessages({library(survival); library(coin)})
options(digits = 17)

digits <- function(x) ifelse(is.na(x), "nan", sprintf("%.17g", x))
rows <- list()
add <- function(model, name, value) {
  rows[[length(rows) + 1]] <<- data.frame(model, name, index = seq_along(value) - 1,
                                          value = as.vector(value))
}
save_long <- function(file) {
  table <- do.call(rbind, rows)
  table$value <- digits(table$value)
  write.csv(table, file, row.names = FALSE, quote = FALSE)
  rows <<- list()
}
d <- read.csv("survival_input.csv")
total <- function(x) if (is.matrix(x)) rowSums(x) else x

# survdiff: weight S(t-)^rho.
for (rho in c(0, 0.5, 1, 2)) {
  for (stratified in c(FALSE, TRUE)) {
    right <- if (stratified) "group + strata(stratum)" else "group"
    fit <- survdiff(as.formula(paste("Surv(time, event) ~", right)), d, rho = rho)
    model <- paste0("survdiff_", rho, if (stratified) "_strata" else "")
    add(model, "statistic", fit$chisq)
    add(model, "observed", total(fit$obs))
    add(model, "expected", total(fit$exp))
    scores <- 1:4
    gap <- total(fit$obs) - total(fit$exp)
    z <- sum(scores * gap) / sqrt(drop(scores %*% fit$var %*% scores))
    add(model, "trend_z", z)
    scores <- c(0, 1, 4, 5)
    add(model, "spaced_z", sum(scores * gap) / sqrt(drop(scores %*% fit$var %*% scores)))
  }
}

# coin: sums of scores, which are expected less observed, for weights that survdiff lacks.
kinds <- c(gehan = "Gehan-Breslow", `tarone-ware` = "Tarone-Ware", peto = "Prentice-Marek",
           `fleming-harrington` = "Fleming-Harrington")
for (key in names(kinds)) {
  more <- if (key == "fleming-harrington") list(rho = 0.5, gamma = 1.5) else list()
  fit <- do.call(logrank_test, c(list(Surv(time, event) ~ factor(group), data = d,
                                      type = kinds[[key]]), more))
  add(paste0("coin_", key), "gap", -statistic(fit, type = "linear"))
}

# By hand, for any weight: a table of 2 x k at each event time of each stratum.
by_hand <- function(time, event, group, stratum, weight) {
  levels <- sort(unique(group))
  u <- rep(0, length(levels))
  v <- matrix(0, length(levels), length(levels))
  for (s in unique(stratum)) {
    inside <- stratum == s
    s_before <- 1
    s_tilde <- 1
    for (t in sort(unique(time[inside & event == 1]))) {
      at_risk <- sapply(levels, function(g) sum(inside & group == g & time >= t))
      died <- sapply(levels, function(g) sum(inside & group == g & time == t & event == 1))
      n <- sum(at_risk)
      k <- sum(died)
      s_tilde <- s_tilde * (1 - k / (n + 1))
      w <- weight(n, s_before, s_tilde)
      s_before <- s_before * (1 - k / n)
      u <- u + w * (died - k * at_risk / n)
      if (n > 1) {
        v <- v + w^2 * k * (n - k) / (n - 1) * (diag(at_risk / n) - outer(at_risk, at_risk) / n^2)
      }
    }
  }
  list(statistic = drop(u[-1] %*% solve(v[-1, -1], u[-1])), u = u, v = v)
}
weights <- list(
  logrank = function(n, s, p) 1, gehan = function(n, s, p) n, `tarone-ware` = function(n, s, p) sqrt(n),
  peto = function(n, s, p) p, `fleming-harrington` = function(n, s, p) s^0.5 * (1 - s)^1.5
)
for (key in names(weights)) {
  for (stratified in c(FALSE, TRUE)) {
    stratum <- if (stratified) d$stratum else rep(1, nrow(d))
    fit <- by_hand(d$time, d$event, d$group, stratum, weights[[key]])
    model <- paste0("hand_", key, if (stratified) "_strata" else "")
    add(model, "statistic", fit$statistic)
    add(model, "gap", fit$u)
    add(model, "trend_z", sum(1:4 * fit$u) / sqrt(drop(1:4 %*% fit$v %*% 1:4)))
  }
}
save_long("weighted_logrank.csv")

# Restricted means: R's own, and the contrasts of two groups from them.
mean_of <- function(data, tau) {
  found <- summary(survfit(Surv(time, event) ~ 1, data), rmean = tau)$table
  c(found[["rmean"]], found[["se(rmean)"]])
}
contrast <- function(a, b) {
  gap <- a[1] - b[1]
  se <- sqrt(a[2]^2 + b[2]^2)
  ratio <- log(a[1] / b[1])
  relative <- sqrt((a[2] / a[1])^2 + (b[2] / b[1])^2)
  z <- qnorm(0.975)
  list(difference = c(gap, gap - z * se, gap + z * se, 2 * pnorm(-abs(gap) / se)),
       ratio = c(exp(ratio), exp(ratio - z * relative), exp(ratio + z * relative),
                 2 * pnorm(-abs(ratio) / relative)))
}
pbc312 <- pbc[1:312, ]
arms <- data.frame(time = pbc312$time / 365.25, event = as.integer(pbc312$status == 2),
                   arm = as.integer(pbc312$trt == 1))
write.csv(transform(arms, time = digits(time)), "restricted_mean_pbc.csv", row.names = FALSE,
          quote = FALSE)
for (tau in c(2, 7.5, 15)) add(paste0("all_", tau), "mean", mean_of(d, tau))
for (g in 1:4) add(paste0("group", g), "mean", mean_of(d[d$group == g, ], 8))
for (tau in c(5, 10)) {
  one <- mean_of(arms[arms$arm == 1, ], tau)
  zero <- mean_of(arms[arms$arm == 0, ], tau)
  model <- paste0("pbc_", tau)
  add(model, "first", one)
  add(model, "second", zero)
  found <- contrast(one, zero)
  add(model, "difference", found$difference)
  add(model, "ratio", found$ratio)
}
save_long("restricted_mean.csv")
