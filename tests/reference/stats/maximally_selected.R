# Reference values of maximally selected rank statistics and of a scan over cut-points.
# Packages survival, maxstat, coin, mvtnorm. Run in this folder: Rscript maximally_selected.R
# Writes its simulated input, the data set DLBCL of the package maxstat (its published example),
# and what R says.
suppressMessages({library(survival); library(maxstat); library(coin); library(mvtnorm)})
options(digits = 17)
RNGkind("Mersenne-Twister", "Inversion", "Rejection")

digits <- function(x) ifelse(is.na(x), "nan", sprintf("%.17g", x))
rows <- list()
add <- function(model, name, value) {
  rows[[length(rows) + 1]] <<- data.frame(model, name, index = seq_along(value) - 1,
                                          value = as.vector(value))
}

set.seed(1992)
simulated <- function(set, n, month, unit) {
  x <- rnorm(n)
  death <- rexp(n, exp(0.8 * (x > 0.3)) / 20)
  end <- runif(n, 2, 60)
  time <- pmin(death, end)
  if (month) time <- ceiling(time)
  if (unit > 0) x <- round(x / unit) * unit
  data.frame(set, time, event = as.integer(death <= end), x,
             class = as.integer(x + rnorm(n) > 0), stratum = sample(1:3, n, replace = TRUE))
}
data("DLBCL", package = "maxstat")
d <- rbind(
  simulated("plain", 70, FALSE, 0),
  simulated("tied", 90, TRUE, 0.25),
  simulated("few", 40, TRUE, 1),
  simulated("small", 12, FALSE, 0),
  with(DLBCL, data.frame(set = "DLBCL", time, event = as.integer(cens), x = MGE,
                         class = as.integer(MGE > 0), stratum = 1))
)
d <- d[!is.na(d$x) & !is.na(d$time), ]
for (name in c("time", "x")) d[[name]] <- as.numeric(digits(d[[name]]))
write.csv(transform(d, time = digits(time), x = digits(x)), "maximally_selected_input.csv",
          row.names = FALSE, quote = FALSE)

# The same probability by Simpson's rule, from one cut-point to the next.
stays_inside <- function(b, stats, x, minprop, maxprop) {
  n <- length(x)
  m <- which(diff(x) > 0)
  m <- m[m >= max(1, floor(n * minprop)) & m <= floor(n * maxprop)]
  stopifnot(length(m) == length(stats))
  at <- seq(-b, b, length.out = 1201)
  weight <- c(1, rep(c(4, 2), length.out = 1199), 1) * (at[2] - at[1]) / 3
  density <- dnorm(at)
  for (i in seq_along(m)[-1]) {
    rho <- sqrt(m[i - 1] * (n - m[i]) / (m[i] * (n - m[i - 1])))
    kernel <- outer(at, at, function(to, from) dnorm(to, rho * from, sqrt(1 - rho^2)))
    density <- drop(kernel %*% (weight * density))
  }
  sum(weight * density)
}
record <- function(key, y, x, smethod, minprop = 0.1, maxprop = 0.9) {
  ask <- function(pmethod, ...) maxstat(y, x, smethod = smethod, pmethod = pmethod,
                                        minprop = minprop, maxprop = maxprop, ...)
  found <- ask("Lau92")
  add(key, "statistic", found$statistic)
  add(key, "cutoff", found$estimate)
  add(key, "statistics", found$stats)
  add(key, "cutoffs", found$cuts)
  add(key, "Lau92", found$p.value)
  add(key, "Lau94", ask("Lau94")$p.value)
  set.seed(1)
  inside <- pmvnorm(rep(-found$statistic, length(found$cuts)), rep(found$statistic, length(found$cuts)),
                    corr = maxstat:::corrmsrs(sort(x), minprop, maxprop),
                    algorithm = GenzBretz(maxpts = 1e6, abseps = 1e-6))
  add(key, "exactGauss", c(1 - inside, attr(inside, "error")))
  add(key, "simpson", 1 - stays_inside(found$statistic, found$stats, sort(x), minprop, maxprop))
  if (length(found$cuts) <= 7) {
    add(key, "Miwa", ask("exactGauss", algorithm = Miwa(steps = 1024))$p.value)
  }
  set.seed(2)
  add(key, "condMC", ask("condMC", B = 100000)$p.value)
}
for (set in unique(d$set)) {
  own <- d[d$set == set, ]
  record(set, with(own, Surv(time, event)), own$x, "LogRank")
}
plain <- d[d$set == "plain", ]
record("wide", with(plain, Surv(time, event)), plain$x, "LogRank", 0.02, 0.75)
tied <- d[d$set == "tied", ]
record("wilcoxon", tied$time, tied$x, "Wilcoxon")
record("binary", plain$class, plain$x, "Data")

# Bounds by the exact two-sample distributions, at values that no sum reaches.
for (b in c(1.7123, 2.5123, 3.1123)) {
  add("HL_ranks", sprintf("%.4f", b), pmaxstat(b, 1:20, 5:15))
  add("HL_ties", sprintf("%.4f", b), pmaxstat(b, c(0, 0, 1, 1, 1, 3, 4, 4, 7, 9, 9, 12, 15), 2:11))
}
own <- d[d$set == "small", ]
found <- maxstat(with(own, Surv(time, event)), own$x, smethod = "LogRank", pmethod = "HL")
add("small", "HL_statistic", found$statistic)
scores <- exactRankTests::cscores(with(own, Surv(time, event)), type = "LogRank", int = FALSE)
scores <- scores - min(scores)
whole <- round(scores * length(scores) / max(scores))[order(own$x)]
add("small", "whole", whole)
# Just below, so that what equals the statistic counts.
add("small", "HL", pmaxstat(found$statistic * (1 - 1e-9), whole, 1:10))

# Bounds by neighbouring cut-points, and the process at few places, by an exact algorithm.
corr <- function(m, n) outer(m, m, function(a, b) {
  sqrt(pmin(a, b) * (n - pmax(a, b)) / (pmax(a, b) * (n - pmin(a, b))))
})
for (b in c(1.2, 1.96, 3)) {
  key <- sprintf("%.2f", b)
  add("Lau92", key, c(pLausen92(b), pLausen92(b, 0.25, 0.6)))
  add("Lau94", key, c(pLausen94(b, 50), pLausen94(b, 400, m = c(40, 100, 101, 250))))
  box <- function(m, n) 1 - pmvnorm(rep(-b, length(m)), rep(b, length(m)), corr = corr(m, n),
                                    algorithm = Miwa(steps = 2048))
  add("Miwa", key, c(box(c(20, 50), 100), box(c(10, 12, 60, 90), 100), box(c(3, 4, 5, 6, 7), 30)))
}

# coin: scores under its rules of ties, standardised statistics, also within strata.
for (set in c("plain", "tied", "DLBCL")) {
  own <- d[d$set == set, ]
  y <- with(own, Surv(time, event))
  for (ties in c("mid-ranks", "Hothorn-Lausen", "average-scores")) {
    set.seed(3)
    add(paste0("scores_", set), tolower(ties), -logrank_trafo(y, ties.method = ties))
  }
  test <- maxstat_test(Surv(time, event) ~ x, data = own, minprob = 0.1, maxprob = 0.9)
  add(paste0("coin_", set), "standardized", statistic(test, type = "standardized"))
}
own <- transform(d[d$set == "tied", ], stratum = factor(stratum))
own$score <- 0
for (level in levels(own$stratum)) {
  inside <- own$stratum == level
  own$score[inside] <- -with(own[inside, ], logrank_trafo(Surv(time, event)))
}
test <- maxstat_test(score ~ x | stratum, data = own, minprob = 0.1, maxprob = 0.9)
add("coin_strata", "scores", own$score)
add("coin_strata", "standardized", statistic(test, type = "standardized"))
set.seed(4)
again <- maxstat_test(score ~ x | stratum, data = own, minprob = 0.1, maxprob = 0.9,
                      distribution = approximate(nresample = 100000))
add("coin_strata", "p", pvalue(again))

# The log-rank test itself at every cut-point.
for (set in c("plain", "tied", "few")) {
  own <- d[d$set == set, ]
  cuts <- head(sort(unique(own$x)), -1)
  fits <- lapply(cuts, function(cut) survdiff(Surv(time, event) ~ I(x > cut), data = own))
  add(paste0("survdiff_", set), "cutoffs", cuts)
  add(paste0("survdiff_", set), "statistics", sapply(fits, function(fit) fit$chisq))
}
table <- do.call(rbind, rows)
table$value <- digits(table$value)
write.csv(table, "maximally_selected.csv", row.names = FALSE, quote = FALSE)
