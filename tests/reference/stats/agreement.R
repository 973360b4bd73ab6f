# Reference values of tests/stats/test_{kappa,fleiss_kappa,bland_altman}.py: Rscript agreement.R, in
# this folder (psych, vcd, epiR). Fleiss' kappa and the errors under no agreement are written out.
suppressPackageStartupMessages({library(psych); library(vcd); library(epiR)})
options(digits = 17)
set.seed(20261122)
rows <- list()
keep <- function(case, name, value, index = seq_along(value))
  rows[[length(rows) + 1]] <<- data.frame(case = case, name = name, index = index, value = signif(as.numeric(value), 17))

# Three readers, four categories; the last is rare, and some ratings are missing.
n <- 90
truth <- sample(1:4, n, TRUE, c(.25, .4, .28, .07))
reader <- function(slip) ifelse(runif(n) < slip, pmin(pmax(truth + sample(c(-1, 1), n, TRUE), 1), 4), truth)
ratings <- data.frame(a = reader(.2), b = reader(.3), c = reader(.45))
ratings$b[c(4, 50)] <- NA; ratings$c[c(7, 50, 61)] <- NA
write.csv(ratings, "agreement_ratings.csv", row.names = FALSE, na = "")

null_error <- function(x, w) {
  p <- x / sum(x); r <- rowSums(p); s <- colSums(p)
  pe <- sum(w * outer(r, s)); total <- 0
  for (i in seq_along(r)) for (j in seq_along(s))
    total <- total + r[i] * s[j] * (w[i, j] - (sum(w[i, ] * s) + sum(w[, j] * r)))^2
  sqrt((total - pe^2) / (sum(x) * (1 - pe)^2))
}
steps <- abs(outer(1:4, 1:4, "-"))
given <- 1 - matrix(c(0, 1, 2, 6, 1, 0, 3, 6, 2, 3, 0, 6, 6, 6, 6, 0), 4) / 6
weights <- list(none = diag(4), linear = 1 - steps / 3, quadratic = 1 - steps^2 / 9, given = given)
for (pair in list(c("a", "b"), c("a", "c"), c("b", "c"))) {
  x <- table(factor(ratings[[pair[1]]], 1:4), factor(ratings[[pair[2]]], 1:4))
  x <- matrix(x, 4)
  for (kind in names(weights)) {
    case <- paste(c(pair, kind), collapse = ".")
    p <- cohen.kappa(x, w = weights[[kind]])
    row <- if (kind == "none") 1 else 2
    v <- Kappa(x, weights = weights[[kind]])
    k <- if (kind == "none") v$Unweighted else v$Weighted
    stopifnot(abs(p$confid[row, 2] - k[["value"]]) < 1e-12)
    keep(case, "value", p$confid[row, 2])
    # psych 2.2.9 sums rows for columns in the error of weighted kappa; vcd follows the paper.
    if (kind == "none") stopifnot(abs(sqrt(p$var.kappa) / k[["ASE"]] - 1) < 1e-12)
    keep(case, "standard_error", k[["ASE"]])
    keep(case, "low", k[["value"]] - qnorm(.975) * k[["ASE"]])
    keep(case, "high", min(1, k[["value"]] + qnorm(.975) * k[["ASE"]]))
    z <- k[["value"]] / null_error(x, weights[[kind]])
    keep(case, "z", z); keep(case, "p", 2 * pnorm(-abs(z)))
  }
}

# Fleiss' kappa of the patients rated by all three.
full <- ratings[complete.cases(ratings), ]
counts <- t(apply(full, 1, function(r) tabulate(r, 4)))
m <- 3; N <- nrow(counts)
share <- colSums(counts) / (N * m)
agreeing <- (rowSums(counts^2) - m) / (m * (m - 1))
chance <- sum(share^2)
kappa <- (mean(agreeing) - chance) / (1 - chance)
q <- 1 - share
e0 <- sqrt(2 / (N * m * (m - 1))) * sqrt(sum(share * q)^2 - sum(share * q * (q - share))) / sum(share * q)
keep("fleiss", "value", kappa); keep("fleiss", "z", kappa / e0); keep("fleiss", "p", 2 * pnorm(-abs(kappa / e0)))
keep("fleiss", "agreement", mean(agreeing))
keep("fleiss", "unanimous", mean(apply(counts, 1, max) == m))
# Gwet's variance of Fleiss' kappa with all of one number of raters.
kappa_i <- (agreeing - chance) / (1 - chance)
chance_i <- as.vector(counts %*% share) / m
star <- kappa_i - 2 * (1 - kappa) * (chance_i - chance) / (1 - chance)
keep("fleiss", "standard_error", sqrt(sum((star - kappa)^2) / (N * (N - 1))))
each <- 1 - colSums(counts * (m - counts)) / (N * m * (m - 1) * share * q)
keep("fleiss", "category_value", each)
keep("fleiss", "category_z", each / sqrt(2 / (N * m * (m - 1))))
keep("fleiss", "category_p", 2 * pnorm(-abs(each) / sqrt(2 / (N * m * (m - 1)))))

# Two readers of a length; the second reads longer and less steeply.
sizes <- rlnorm(45, 4, .4)
lengths <- data.frame(x = sizes + rnorm(45, 0, 4), y = 6 + .93 * sizes + rnorm(45, 0, 5))
lengths$y[c(3, 30)] <- NA
write.csv(sapply(lengths, function(v) ifelse(is.na(v), "", sprintf("%.17g", v))), "agreement_lengths.csv", row.names = FALSE, quote = FALSE)
complete <- lengths[complete.cases(lengths), ]
d <- complete$x - complete$y; average <- (complete$x + complete$y) / 2; k <- length(d); s <- sd(d)
test <- t.test(complete$x, complete$y, paired = TRUE)
keep("bland", "bias", test$estimate); keep("bland", "bias_low", test$conf.int[1]); keep("bland", "bias_high", test$conf.int[2])
keep("bland", "bias_p", test$p.value); keep("bland", "sd", s)
z <- qnorm(.975)
keep("bland", "lower", mean(d) - z * s); keep("bland", "upper", mean(d) + z * s)
exact <- qt(c(.025, .975), k - 1, z * sqrt(k)) / sqrt(k)
keep("exact", "upper_low", mean(d) + s * exact[1]); keep("exact", "upper_high", mean(d) + s * exact[2])
keep("exact", "lower_low", mean(d) - s * exact[2]); keep("exact", "lower_high", mean(d) - s * exact[1])
reach <- qt(.975, k - 1) * s * sqrt(1 / k + z^2 / (2 * (k - 1)))
keep("approximate", "upper_low", mean(d) + z * s - reach); keep("approximate", "upper_high", mean(d) + z * s + reach)
keep("approximate", "lower_low", mean(d) - z * s - reach); keep("approximate", "lower_high", mean(d) - z * s + reach)
line <- lm(d ~ average)
keep("bland", "slope", coef(line)[2]); keep("bland", "slope_p", summary(line)$coefficients[2, 4])
keep("bland", "slope_low", confint(line)[2, 1]); keep("bland", "slope_high", confint(line)[2, 2])
lin <- epi.ccc(lengths$x, lengths$y)
keep("lin", "value", lin$rho.c$est); keep("lin", "low", lin$rho.c$lower); keep("lin", "high", lin$rho.c$upper)
keep("lin", "accuracy", lin$C.b); keep("lin", "scale_shift", lin$s.shift); keep("lin", "location_shift", lin$l.shift)
keep("lin", "precision", cor(complete$x, complete$y))
long <- data.frame(id = factor(rep(seq_len(k), 2)), value = c(complete$x, complete$y))
within <- summary(aov(value ~ id, long))[[1]]["Residuals", "Mean Sq"]
bounds <- sqrt(within * k / qchisq(c(.975, .025), k))
keep("repeat", "within_sd", sqrt(within)); keep("repeat", "low", bounds[1]); keep("repeat", "high", bounds[2])
keep("repeat", "coefficient", z * sqrt(2) * sqrt(within))
keep("repeat", "coefficient_low", z * sqrt(2) * bounds[1]); keep("repeat", "coefficient_high", z * sqrt(2) * bounds[2])

out <- do.call(rbind, rows)
out$value <- sprintf("%.17g", out$value)
write.csv(out, "agreement.csv", row.names = FALSE, quote = FALSE)
