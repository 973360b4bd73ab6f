# Reference values of survival statistics, from the R package survival.
# Run in this folder: Rscript survival.R
# Writes its own simulated input (survival_input.csv) and what R says of it.
suppressMessages(library(survival))
set.seed(20240607)

digits <- function(x) ifelse(is.na(x), "nan", sprintf("%.17g", x))
save_long <- function(rows, file) {
  table <- do.call(rbind, rows)
  table$value <- digits(table$value)
  write.csv(table, file, row.names = FALSE, quote = FALSE)
}

# Heavy ties in time, ties in scores, unequal groups. Rounded, so that the file holds it exactly.
n <- 140
x1 <- round(rnorm(n), 3)
x2 <- round(2 * rnorm(n)) / 2
x3 <- as.integer(runif(n) < 0.25)
stratum <- sample(c("a", "b", "c"), n, replace = TRUE, prob = c(0.5, 0.35, 0.15))
group <- sample(1:4, n, replace = TRUE, prob = c(0.4, 0.3, 0.2, 0.1))
death <- rexp(n, 0.03 * exp(0.5 * x1 - 0.3 * x2 + 0.4 * x3))
end <- runif(n, 5, 50)
time <- ceiling(pmin(death, end) / 2)
event <- as.integer(death <= end)
input <- data.frame(time, event, x1, x2, x3, stratum, group)
write.csv(input, "survival_input.csv", row.names = FALSE, quote = FALSE)

# One score a column, from continuous to two values, for screens.
genes <- sapply(1:12, function(g) round(rnorm(n, sd = 10^((g - 6) / 3)) + 0.2 * g * x1,
                                        if (g %% 3 == 0) 0 else 4))
genes[, 12] <- as.integer(genes[, 12] > 5)
colnames(genes) <- paste0("g", 1:12)
write.csv(genes, "survival_genes.csv", row.names = FALSE, quote = FALSE)

# Cox: to the last digit, hence the small eps.
tight <- coxph.control(eps = 1e-14, iter.max = 60, toler.chol = 1e-15)
rows <- list()
add <- function(model, name, value, index = 0) {
  rows[[length(rows) + 1]] <<- data.frame(model, name, index, value)
}
formulas <- list(
  one = Surv(time, event) ~ x1,
  tied = Surv(time, event) ~ x2,
  three = Surv(time, event) ~ x1 + x2 + x3,
  strata = Surv(time, event) ~ x1 + x2 + x3 + strata(stratum)
)
for (ties in c("efron", "breslow")) {
  for (key in names(formulas)) {
    fit <- coxph(formulas[[key]], input, ties = ties, control = tight)
    model <- paste(key, ties, sep = "_")
    for (j in seq_along(coef(fit))) {
      add(model, "coef", coef(fit)[j], j - 1)
      add(model, "se", sqrt(diag(vcov(fit)))[j], j - 1)
      add(model, "z", summary(fit)$coefficients[j, "z"], j - 1)
      add(model, "p", summary(fit)$coefficients[j, "Pr(>|z|)"], j - 1)
      add(model, "low", summary(fit)$conf.int[j, 3], j - 1)
      add(model, "high", summary(fit)$conf.int[j, 4], j - 1)
    }
    for (j in seq_along(vcov(fit))) add(model, "covariance", vcov(fit)[j], j - 1)
    add(model, "null_log_likelihood", fit$loglik[1])
    add(model, "log_likelihood", fit$loglik[2])
    add(model, "score", fit$score)
    add(model, "score_p", summary(fit)$sctest["pvalue"])
    add(model, "likelihood_ratio_p", summary(fit)$logtest["pvalue"])
  }
}
save_long(rows, "cox.csv")

rows <- list()
for (ties in c("efron", "breslow")) {
  for (g in colnames(genes)) {
    fit <- coxph(Surv(time, event) ~ genes[, g], ties = ties, control = tight)
    add(ties, "coef", coef(fit), match(g, colnames(genes)) - 1)
    add(ties, "se", sqrt(vcov(fit)[1]), match(g, colnames(genes)) - 1)
    add(ties, "log_likelihood", fit$loglik[2], match(g, colnames(genes)) - 1)
    pair <- coxph(Surv(time, event) ~ genes[, g] + x1, ties = ties, control = tight)
    add(ties, "pair_coef", coef(pair)[1], match(g, colnames(genes)) - 1)
    add(ties, "pair_se", sqrt(vcov(pair)[1, 1]), match(g, colnames(genes)) - 1)
  }
}
save_long(rows, "cox_genes.csv")

# Concordance: risk runs against survival, hence reverse.
rows <- list()
scores <- cbind(x1, x2, x3, genes)
for (s in colnames(scores)) {
  found <- concordance(Surv(time, event) ~ scores[, s], reverse = TRUE)
  add(s, "value", found$concordance)
  add(s, "variance", found$var)
  add(s, "comparable", sum(found$count[1:3]))
}
save_long(rows, "concordance.csv")

# Kaplan-Meier, all and within groups (the last with few patients, so a median may be missing).
rows <- list()
medians <- list()
exact <- data.frame(time = c(1, 2, 3, 4, 5, 6, 7, 8), event = c(1, 1, 1, 1, 0, 1, 0, 1))
write.csv(exact, "kaplan_meier_exact_input.csv", row.names = FALSE, quote = FALSE)
subsets <- list(
  all = input, group1 = input[group == 1, ], group2 = input[group == 2, ],
  group3 = input[group == 3, ], group4 = input[group == 4, ], exact = exact
)
curves <- list()
for (key in names(subsets)) {
  for (level in c(0.95, 0.8)) {
    fit <- survfit(Surv(time, event) ~ 1, subsets[[key]], conf.type = "log-log", conf.int = level)
    curves[[length(curves) + 1]] <- data.frame(
      subset = key, level = level, time = fit$time, at_risk = fit$n.risk, events = fit$n.event,
      survival = digits(fit$surv), low = digits(fit$lower), high = digits(fit$upper)
    )
    found <- summary(fit)$table[c("median", paste0(level, c("LCL", "UCL")))]
    medians[[length(medians) + 1]] <- data.frame(
      subset = key, level = level, median = digits(found[1]), low = digits(found[2]),
      high = digits(found[3])
    )
  }
}
write.csv(do.call(rbind, curves), "kaplan_meier.csv", row.names = FALSE, quote = FALSE)
write.csv(do.call(rbind, medians), "kaplan_meier_median.csv", row.names = FALSE, quote = FALSE)

# Log-rank.
rows <- list()
tests <- list(
  groups = survdiff(Surv(time, event) ~ group),
  groups_strata = survdiff(Surv(time, event) ~ group + strata(stratum)),
  two = survdiff(Surv(time, event) ~ x3),
  two_strata = survdiff(Surv(time, event) ~ x3 + strata(stratum))
)
for (key in names(tests)) {
  found <- tests[[key]]
  total <- function(x) if (is.matrix(x)) rowSums(x) else x
  df <- length(total(found$exp)) - 1
  add(key, "statistic", found$chisq)
  add(key, "p", pchisq(found$chisq, df, lower.tail = FALSE))
  for (j in seq_along(total(found$obs))) {
    add(key, "observed", total(found$obs)[j], j - 1)
    add(key, "expected", total(found$exp)[j], j - 1)
  }
}
for (g in colnames(genes)) {
  cut <- genes[, g] > median(genes[, g])
  if (any(cut)) add("batch", "statistic", survdiff(Surv(time, event) ~ cut)$chisq,
                    match(g, colnames(genes)) - 1)
}
save_long(rows, "logrank.csv")
