# Reference values of tests/stats/test_{fisher,group_tests,standardised_difference}.py and
# tests/evaluation/test_baseline_table.py: Rscript baseline_table.R, in this folder (survival).
# Standardised differences are written out.
suppressPackageStartupMessages(library(survival))
options(digits = 17)
set.seed(20261123)
rows <- list()
keep <- function(groups, variable, name, value)
  rows[[length(rows) + 1]] <<- data.frame(groups = groups, variable = variable, name = name, value = sprintf("%.17g", as.numeric(value)))

n <- 140
arm <- sample(c("A", "B", "C"), n, TRUE, c(.45, .35, .2))
code <- as.integer(factor(arm))
age <- round(rnorm(n, 60 + 2 * code, 9)); age[c(5, 77)] <- NA
afp <- signif(rlnorm(n, 4 + .3 * code, 1.6), 4); afp[c(12, 40, 41)] <- NA
bmi <- round(rnorm(n, 27, 2 + code), 1)
sex <- sample(c("f", "m"), n, TRUE, c(.3, .7))
virus <- sample(c("HBV", "HCV", "none", "other"), n, TRUE, c(.5, .2, .25, .05)); virus[c(9, 90)] <- NA
stage <- pmin(pmax(round(rnorm(n, 2 + .25 * code, .8)), 1), 4)
rare <- rbinom(n, 1, .06)
time <- round(rexp(n, .03) + .1, 1); event <- rbinom(n, 1, .6)
data <- data.frame(id = sprintf("P%03d", 1:n), arm, age, afp, bmi, sex, virus, stage, rare, time, event)
write.csv(data, "baseline_table_input.csv", row.names = FALSE, na = "", quote = FALSE)

smd_numbers <- function(x, g) {
  pairs <- combn(sort(unique(g)), 2)
  max(apply(pairs, 2, function(p) { a <- x[g == p[1]]; b <- x[g == p[2]]
    abs(mean(a) - mean(b)) / sqrt((var(a) + var(b)) / 2) }))
}
smd_counts <- function(x, g) {
  x <- factor(x)
  pairs <- combn(sort(unique(g)), 2)
  max(apply(pairs, 2, function(p) {
    share <- lapply(p, function(k) as.vector(table(x[g == k])) / sum(g == k))
    used <- share[[1]] + share[[2]] > 0
    t <- share[[1]][used][-1]; c <- share[[2]][used][-1]
    S <- (diag(t * (1 - t), length(t)) + diag(c * (1 - c), length(c))) / 2
    for (k in seq_along(t)) for (l in seq_along(t)) if (k != l) S[k, l] <- -(t[k] * t[l] + c[k] * c[l]) / 2
    sqrt(drop(t(t - c) %*% solve(S) %*% (t - c)))
  }))
}
for (groups in c("two", "three")) {
  part <- if (groups == "two") data[data$arm != "C", ] else data
  two <- groups == "two"
  for (v in c("age", "afp", "bmi")) {
    ok <- !is.na(part[[v]]); x <- part[[v]][ok]; g <- part$arm[ok]
    for (k in unique(g)) {
      keep(groups, v, paste0("mean.", k), mean(x[g == k])); keep(groups, v, paste0("sd.", k), sd(x[g == k]))
      keep(groups, v, paste0("q1.", k), quantile(x[g == k], .25)); keep(groups, v, paste0("median.", k), median(x[g == k]))
      keep(groups, v, paste0("q3.", k), quantile(x[g == k], .75)); keep(groups, v, paste0("n.", k), sum(g == k))
    }
    keep(groups, v, "difference", smd_numbers(x, g))
    if (two) {
      w <- wilcox.test(x ~ factor(g), exact = FALSE, correct = TRUE)
      keep(groups, v, "mann-whitney.statistic", w$statistic); keep(groups, v, "mann-whitney", w$p.value)
      for (kind in c("t", "welch")) {
        t <- t.test(x ~ factor(g), var.equal = kind == "t")
        keep(groups, v, paste0(kind, ".statistic"), t$statistic); keep(groups, v, kind, t$p.value)
      }
    }
    k <- kruskal.test(x, factor(g)); keep(groups, v, "kruskal-wallis.statistic", k$statistic); keep(groups, v, "kruskal-wallis", k$p.value)
    a <- oneway.test(x ~ factor(g), var.equal = TRUE); keep(groups, v, "anova.statistic", a$statistic); keep(groups, v, "anova", a$p.value)
  }
  for (v in c("sex", "virus", "stage", "rare")) {
    ok <- !is.na(part[[v]]); x <- part[[v]][ok]; g <- part$arm[ok]
    tab <- table(x, g)
    for (k in colnames(tab)) for (level in rownames(tab)) keep(groups, v, paste("count", level, k, sep = "."), tab[level, k])
    c2 <- suppressWarnings(chisq.test(tab, correct = FALSE))
    keep(groups, v, "chi-squared.statistic", c2$statistic); keep(groups, v, "chi-squared", c2$p.value)
    keep(groups, v, "least expected", min(c2$expected))
    keep(groups, v, "fisher", fisher.test(tab, workspace = 2e8)$p.value)
    keep(groups, v, "difference", smd_counts(x, g))
    if (v == "stage") {
      k <- kruskal.test(x, factor(g)); keep(groups, v, "kruskal-wallis", k$p.value)
      if (two) {
        keep(groups, v, "mann-whitney", wilcox.test(x ~ factor(g), exact = FALSE, correct = TRUE)$p.value)
        tr <- prop.trend.test(tab[, 2], rowSums(tab), as.numeric(rownames(tab)))
        keep(groups, v, "trend.statistic", tr$statistic); keep(groups, v, "trend", tr$p.value)
      }
    }
  }
  for (k in unique(part$arm)) {
    q <- quantile(survfit(Surv(time, 1 - event) ~ 1, part[part$arm == k, ], conf.type = "log-log"), .5)
    keep(groups, "OS", paste0("follow-up.", k), q$quantile)
    keep(groups, "OS", paste0("low.", k), q$lower); keep(groups, "OS", paste0("high.", k), q$upper)
    keep(groups, "OS", paste0("events.", k), sum(part$event[part$arm == k]))
  }
}
# Tables for Fisher's test alone, written with their counts: rows by columns by seed.
shapes <- list(c(2, 2, 15), c(2, 2, 40), c(2, 6, 60), c(3, 3, 40), c(3, 4, 90), c(4, 4, 45), c(5, 3, 60), c(2, 7, 105))
for (i in seq_along(shapes)) {
  s <- shapes[[i]]
  m <- matrix(tabulate(sample(s[1] * s[2], s[3], TRUE, rexp(s[1] * s[2]) + .3), s[1] * s[2]), s[1])
  text <- paste(apply(m, 1, paste, collapse = " "), collapse = "|")
  keep("fisher", text, "fisher", fisher.test(m, workspace = 2e8)$p.value)
}
write.csv(do.call(rbind, rows), "baseline_table.csv", row.names = FALSE, quote = FALSE)
