# Sample sizes of prediction models by the published formulas, written out once more in base R.
# Run in this folder: Rscript sample_size.R
# Writes sample_size.csv: sizes before they are rounded up, and the numbers they rest on.
options(digits = 17)
RNGkind("Mersenne-Twister", "Inversion", "Rejection")

rows <- list()
add <- function(model, name, value) {
  rows[[length(rows) + 1]] <<- data.frame(model, name, index = seq_along(value) - 1,
                                          value = as.vector(value))
}
z <- qnorm(0.975)

# Development. Riley et al. 2019, equations 11, 12, 23 and the criterion on overall risk.
criterion <- function(p, s, r2) p / ((s - 1) * log(1 - r2 / s))
development <- function(key, p, r2, largest, risk) {
  add(key, "maximum", largest)
  add(key, "n", c(criterion(p, 0.9, r2), criterion(p, r2 / (r2 + 0.05 * largest), r2), risk))
}
binary <- function(key, p, r2, prevalence) {
  ll <- prevalence * log(prevalence) + (1 - prevalence) * log(1 - prevalence)
  development(key, p, r2, 1 - exp(2 * ll), (z / 0.05)^2 * prevalence * (1 - prevalence))
}
survival <- function(key, p, r2, rate, follow_up, horizon) {
  e <- rate * follow_up
  # Both ends of the interval within 0.05, searched for.
  ends <- function(n) {
    se <- sqrt(rate / (n * follow_up))
    risk <- function(r) 1 - exp(-r * horizon)
    max(risk(rate + z * se) - risk(rate), risk(rate) - risk(rate - z * se)) - 0.05
  }
  n <- uniroot(ends, c(1, 1e7), tol = 1e-10)$root
  development(key, p, r2, 1 - exp(2 * (e * log(e) - e)), n)
}
binary("chagas", 24, 0.288, 0.174)
binary("rare", 30, 0.05, 0.05)
survival("thrombosis", 30, 0.051, 0.065, 2.07, 2)
survival("frequent", 12, 0.2, 0.03, 20, 24)

# C-statistic to R2: log-likelihoods by integration, no grid shared with anybody.
for (key in c("0.89_0.174", "0.78_0.2", "0.81_0.77", "0.95_0.02", "0.55_0.5")) {
  both <- as.numeric(strsplit(key, "_")[[1]])
  prevalence <- both[2]
  apart <- sqrt(2) * qnorm(both[1])
  eta <- function(x) qlogis(prevalence) + apart * x - apart^2 / 2
  of <- function(f, mean) integrate(function(x) f(x) * dnorm(x, mean), mean - 12, mean + 12,
                                    rel.tol = 1e-13, subdivisions = 1000)$value
  with_it <- prevalence * of(function(x) plogis(eta(x), log.p = TRUE), apart)
  without <- (1 - prevalence) * of(function(x) plogis(-eta(x), log.p = TRUE), 0)
  null <- prevalence * log(prevalence) + (1 - prevalence) * log(1 - prevalence)
  add(paste0("c_", key), "r2", 1 - exp(-2 * (with_it + without - null)))
}
# The simulation of Riley, Van Calster and Collins 2021, for one pair.
set.seed(8)
n <- 1e6
x <- c(rnorm(0.8 * n), rnorm(0.2 * n, sqrt(2) * qnorm(0.78)))
y <- rep(0:1, c(0.8 * n, 0.2 * n))
fit <- glm(y ~ x, family = binomial)
add("simulated_0.78_0.2", "r2", 1 - exp((fit$deviance - fit$null.deviance) / n))

# Validation. Riley et al. 2021.
validation <- function(key, density, prevalence, c, widths, oe = 1, intercept = 0, slope = 1,
                       bounds = c(-60, 60), benefit = NULL) {
  se_oe <- uniroot(function(se) oe * (exp(z * se) - exp(-z * se)) - widths[1], c(1e-6, 10),
                   tol = 1e-14)$root
  part <- function(k) {
    f <- function(x) x^k * dlogis(intercept + slope * x) * density(x)
    sum(sapply(seq(bounds[1], bounds[2] - 1), function(a)
      integrate(f, a, a + 1, rel.tol = 1e-12, abs.tol = 0, stop.on.error = FALSE)$value))
  }
  a <- part(0); b <- part(1); d <- part(2)
  newcombe <- function(n) {
    inner <- 1 + (n / 2 - 1) * (1 - c) / (2 - c) + (n / 2 - 1) * c / (1 + c)
    sqrt(c * (1 - c) * inner / (n^2 * prevalence * (1 - prevalence)))
  }
  n_c <- uniroot(function(n) 2 * z * newcombe(n) - widths[3], c(2, 1e8), tol = 1e-9)$root
  found <- c((1 - prevalence) / (prevalence * se_oe^2),
             a / ((widths[2] / (2 * z))^2 * (a * d - b^2)), n_c)
  if (!is.null(benefit)) {
    t <- benefit[1]; sens <- benefit[2]; spec <- benefit[3]
    w <- (1 - prevalence) / prevalence * t / (1 - t)
    v <- sens * (1 - sens) / prevalence + w^2 * spec * (1 - spec) / (1 - prevalence) +
      w^2 * (1 - spec)^2 / (prevalence * (1 - prevalence))
    found <- c(found, v / (benefit[4] / (2 * z))^2)
  }
  add(key, "n", found)
}
validation("valve", function(x) dnorm(x, -5, 2.5), 0.018, 0.8, c(1, 0.2, 0.1))
of_beta <- function(x) {
  exp(0.5 * plogis(x, log.p = TRUE) + 0.5 * plogis(-x, log.p = TRUE)) / beta(0.5, 0.5)
}
validation("beta", of_beta, 0.3, 0.7, c(0.2, 0.2, 0.1))
validation("coherent", function(x) dnorm(x, -1.75, 1.22), 0.2, 0.78, c(0.2, 0.2, 0.1),
           benefit = c(0.2, 0.7, 0.72, 0.2))
validation("off", function(x) dnorm(x, -1, 1), 0.25, 0.7, c(0.3, 0.25, 0.12), oe = 0.8,
           intercept = -0.3, slope = 0.85)
v <- 2 * qnorm(0.8)^2
m <- qlogis(0.018) - v / 2
validation("mixture", function(x) 0.982 * dnorm(x, m, sqrt(v)) + 0.018 * dnorm(x, m + v, sqrt(v)),
           0.018, 0.8, c(1, 0.2, 0.1))

table <- do.call(rbind, rows)
table$value <- sprintf("%.17g", table$value)
write.csv(table, "sample_size.csv", row.names = FALSE, quote = FALSE)
