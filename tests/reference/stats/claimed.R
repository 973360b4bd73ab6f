# What published numbers could have looked like at their size, by R and by simulation.
# Run in this folder: Rscript claimed.R
# Writes claimed.csv. Uses survival for the simulated C-indices and hazard ratios.
suppressPackageStartupMessages(library(survival))
options(digits = 17)
RNGkind("Mersenne-Twister", "Inversion", "Rejection")
set.seed(11)

rows <- list()
add <- function(model, name, value) {
  rows[[length(rows) + 1]] <<- data.frame(model, name, index = seq_along(value) - 1,
                                          value = as.vector(value))
}
z <- qnorm(0.975)

# Mann and Whitney's U under chance, as a share of all pairs: 95, 90 and 99 % ranges.
for (key in c("1_5", "3_4", "10_30", "18_66", "40_49", "21_34", "2_200")) {
  size <- as.numeric(strsplit(key, "_")[[1]])
  tails <- c(0.025, 0.05, 0.005)
  add(paste0("u_", key), "low", qwilcox(tails, size[1], size[2]) / prod(size))
}
# In how many orders of 12 and 20 patients U is 0, 1, ... up to the middle.
add("u_12_20", "orders", round(dwilcox(0:120, 12, 20) * choose(32, 12)))

# Hanley and McNeil 1982, and Newcombe's variance, with Wald intervals of the logit.
auc <- function(key, a, m, n) {
  q1 <- a / (2 - a)
  q2 <- 2 * a^2 / (1 + a)
  hanley <- (a * (1 - a) + (m - 1) * (q1 - a^2) + (n - 1) * (q2 - a^2)) / (m * n)
  k <- (m + n) / 2 - 1
  newcombe <- (a * (1 - a) + k * (q1 - a^2) + k * (q2 - a^2)) / (m * n)
  for (each in c("hanley_mcneil", "newcombe")) {
    half <- z * sqrt(get(c(hanley_mcneil = "hanley", newcombe = "newcombe")[each])) / (a * (1 - a))
    add(paste0("auc_", key), each, plogis(qlogis(a) + c(-half, half)))
  }
}
auc("0.883_126_126", 0.883, 126, 126)
auc("0.82_22_63", 0.82, 22, 63)
auc("0.5_30_10", 0.5, 30, 10)
auc("0.999_300_40", 0.999, 300, 40)

# Wilson.
wilson <- function(k, n) prop.test(k, n, correct = FALSE)$conf.int
for (key in c("11_14", "42_55", "0_20", "84_84")) {
  pair <- as.numeric(strsplit(key, "_")[[1]])
  add(paste0("share_", key), "interval", suppressWarnings(wilson(pair[1], pair[2])))
}

# Simulated: AUC of binormal scores, its spread over cohorts.
binormal <- function(key, a, m, n, cohorts = 4000) {
  found <- replicate(cohorts, {
    r <- rank(c(rnorm(m, sqrt(2) * qnorm(a)), rnorm(n)))
    (sum(r[seq_len(m)]) - m * (m + 1) / 2) / (m * n)
  })
  add(paste0("binormal_", key), "spread", sd(found))
}
binormal("0.883_126_126", 0.883, 126, 126)
binormal("0.75_18_66", 0.75, 18, 66)
binormal("0.65_60_20", 0.65, 60, 20)

# Simulated: log hazard ratio of two groups, all followed until so many events have been seen.
groups <- function(key, hr, n, share, events, cohorts = 1500) {
  found <- replicate(cohorts, {
    high <- seq_len(n) <= share * n
    time <- rexp(n, ifelse(high, hr, 1))
    end <- sort(time)[events]
    coef(coxph(Surv(pmin(time, end), time <= end) ~ high))
  })
  add(paste0("hr_", key), "spread", sd(found))
}
groups("1_200_0.5_100", 1, 200, 0.5, 100)
groups("1_200_0.25_150", 1, 200, 0.25, 150)
groups("2_300_0.5_90", 2, 300, 0.5, 90)

# Simulated: Harrell's C of a normal log hazard, mean and spread.
harrell <- function(key, n, b, events, early = FALSE, cohorts = 1000) {
  found <- replicate(cohorts, {
    x <- rnorm(n)
    time <- rexp(n, exp(b * x))
    # Lost at any time, or all followed until the last event that counts.
    end <- if (early) runif(n, 0, 4.5) else sort(time)[events]
    seen <- Surv(pmin(time, end), time <= end)
    c(concordance(seen ~ x, reverse = TRUE)$concordance, sum(time <= end))
  })
  add(paste0("c_", key), "mean", mean(found[1, ]))
  add(paste0("c_", key), "spread", sd(found[1, ]))
  add(paste0("c_", key), "events", mean(found[2, ]))
}
harrell("250_188_1", 250, 1, 188)
harrell("250_75_1", 250, 1, 75)
harrell("250_75_0", 250, 0, 75)
harrell("120_120_0", 120, 0, 120)
harrell("80_56_1.5", 80, 1.5, 56)
harrell("600_30_1", 600, 1, 30)
harrell("250_early_1", 250, 1, NA, early = TRUE)
harrell("250_early_0", 250, 0, NA, early = TRUE)

table <- do.call(rbind, rows)
table$value <- sprintf("%.17g", table$value)
write.csv(table, "claimed.csv", row.names = FALSE, quote = FALSE)
