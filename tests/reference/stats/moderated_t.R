# Reference values of tests/stats/groups/test_moderated_t.py: Rscript moderated_t.R, in this folder (limma).
suppressPackageStartupMessages(library(limma))
options(digits = 17)
set.seed(20261122)
genes <- 150
samples <- 14
group <- c(rep(0, 5), rep(1, 5), rep(2, 4))
age <- round(rnorm(samples, 60, 9))
level <- runif(genes, 1, 12)
spread <- sqrt((0.1 + 2 / level) * 4 / rchisq(genes, 4))
values <- matrix(rnorm(genes * samples, level, spread), genes)
values[1:24, group == 1] <- values[1:24, group == 1] + 1.5
values <- round(values, 4)
rownames(values) <- sprintf("G%03d", seq_len(genes))
write.csv(data.frame(sample = seq_len(samples), group = group, age = age, t(values)),
          "moderated_t_input.csv", row.names = FALSE, quote = FALSE)

gaps <- values
gaps[matrix(runif(genes * samples) < 0.15, genes)] <- NA
gaps[5, ] <- NA
gaps[5, c(1, 2, 7)] <- values[5, c(1, 2, 7)]  # as many values as coefficients: no residuals
gaps[6, group == 1] <- NA     # nothing in one group
gaps[7, ] <- NA
gaps[8, -(1:3)] <- NA         # one group only
write.csv(data.frame(sample = seq_len(samples), t(gaps)), "moderated_t_gaps.csv",
          row.names = FALSE, quote = FALSE)
# Residual variances more alike than chance makes them: the prior is infinitely sure.
even <- matrix(rnorm(60 * samples, 5, 1), 60)
apart <- lm(t(even) ~ factor(group) + age)
even <- round(t(fitted(apart) + scale(residuals(apart), FALSE) * rep(rnorm(60, 1, 0.1), each = samples)), 4)
rownames(even) <- sprintf("E%02d", 1:60)
write.csv(data.frame(sample = seq_len(samples), t(even)), "moderated_t_even.csv",
          row.names = FALSE, quote = FALSE)

write <- function(x) signif(x, 17)
rows <- function(case, fit, coef) {
  bounds <- qt(0.975, fit$df.total) * fit$stdev.unscaled[, coef] * sqrt(fit$s2.post)
  data.frame(case = case, gene = rownames(fit$coefficients),
    estimate = write(fit$coefficients[, coef]),
    standard_error = write(fit$stdev.unscaled[, coef] * sqrt(fit$s2.post)),
    low = write(fit$coefficients[, coef] - bounds), high = write(fit$coefficients[, coef] + bounds),
    t = write(fit$t[, coef]), p = write(fit$p.value[, coef]), log_odds = write(fit$lods[, coef]),
    mean = write(fit$Amean), residual_variance = write(fit$sigma^2),
    residual_freedom = fit$df.residual, variance = write(fit$s2.post), freedom = write(fit$df.total),
    prior_variance = write(rep_len(fit$s2.prior, nrow(fit$coefficients))),
    prior_freedom = write(fit$df.prior))
}
cells <- model.matrix(~ 0 + factor(group) + age)
colnames(cells) <- c("a", "b", "c", "age")
contrast <- makeContrasts(b - a, levels = cells)
effects <- model.matrix(~ factor(group) + age)     # column 2 is b - a
pair <- factor(c(1:5, 1:5))
paired <- model.matrix(~ pair + c(rep(0, 5), rep(1, 5)))
cells_fit <- function(y, trend) eBayes(contrasts.fit(lmFit(y, cells), contrast), trend = trend)
out <- rbind(
  rows("plain", cells_fit(values, FALSE), 1),
  rows("trend", cells_fit(values, TRUE), 1),
  rows("gaps", suppressWarnings(eBayes(lmFit(gaps, effects))), 2),
  rows("gaps trend", suppressWarnings(eBayes(lmFit(gaps[-7, ], effects), trend = TRUE)), 2),
  rows("even", cells_fit(even, FALSE), 1),
  rows("even trend", cells_fit(even, TRUE), 1),
  rows("paired", eBayes(lmFit(values[, 1:10], paired)), 6),
  rows("paired gaps", suppressWarnings(eBayes(lmFit(gaps[9:150, 1:10], paired))), 6),
  rows("five genes trend", cells_fit(values[1:5, ], TRUE), 1),
  rows("twenty genes trend", cells_fit(values[1:20, ], TRUE), 1))
gz <- gzfile("moderated_t.csv.gz", "w")
write.csv(out, gz, row.names = FALSE, quote = FALSE)
close(gz)
