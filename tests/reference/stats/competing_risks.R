# Reference values of cumulative incidence, Gray's test and the Fine-Gray model.
# Packages survival and cmprsk. Run in this folder: Rscript competing_risks.R
# Writes competing_risks_input.csv (simulated, heavy ties) and what R says of it.
suppressMessages({library(survival); library(cmprsk)})
options(digits = 17)
RNGkind("Mersenne-Twister", "Inversion", "Rejection")
set.seed(20)

n <- 240
group <- sample(c("a", "b", "c"), n, replace = TRUE)
stratum <- sample(1:2, n, replace = TRUE)
size <- round(rnorm(n), 3)
rim <- rbinom(n, 1, 0.4)
age <- round(runif(n, 30, 80), 1)
rate <- cbind(0.08 * exp(0.6 * size - 0.5 * rim), 0.05 * exp(0.02 * (age - 55)), 0.01)
exact <- rexp(n, rowSums(rate))
cause <- apply(rate, 1, function(r) sample(1:3, 1, prob = r))
censor <- runif(n, 2, 30)
time <- pmin(exact, censor)
cause[censor < exact] <- 0
d <- data.frame(exact = round(time, 6), time = ceiling(time * 2) / 2, cause, group, stratum, size,
                rim, age)
# A second data set in which the last patient fails, so that survival comes down to 0.
d$extinct <- d$cause
d$extinct[order(-d$exact)[1:3]] <- c(2, 1, 1)
write.csv(d, "competing_risks_input.csv", row.names = FALSE, quote = FALSE)
d <- read.csv("competing_risks_input.csv")

rows <- list()
add <- function(model, name, value) {
  rows[[length(rows) + 1]] <<- data.frame(model, name, index = seq_along(value) - 1,
                                          value = as.vector(value))
}
save_long <- function(file) {
  table <- do.call(rbind, rows)
  table$value <- ifelse(is.na(table$value), "nan", sprintf("%.17g", table$value))
  write.csv(table, file, row.names = FALSE, quote = FALSE)
  rows <<- list()
}

fit_times <- function(time) sort(unique(time))
# Every time, or every sixth, the last included.
curves <- function(key, time, cause, by = 1) {
  fit <- survfit(Surv(time, factor(cause)) ~ 1, conf.type = "log-log")
  kept <- rev(seq(length(fit$time), 1, -by))
  add(key, "time", fit$time[kept])
  add(key, "survival", fit$pstate[kept, 1])
  for (k in 1:3) {
    add(paste0(key, "_", k), "incidence", fit$pstate[kept, k + 1])
    add(paste0(key, "_", k), "se", fit$std.err[kept, k + 1])
    add(paste0(key, "_", k), "low", fit$lower[kept, k + 1])
    add(paste0(key, "_", k), "high", fit$upper[kept, k + 1])
  }
  fit <- cuminc(time, cause)
  for (k in 1:3) {
    found <- timepoints(fit[paste(1, k)], fit_times(time)[kept])
    add(paste0(key, "_", k), "cuminc", found$est)
    add(paste0(key, "_", k), "cuminc_var", found$var)
  }
}
curves("tied", d$time, d$cause)
curves("exact", d$exact, d$cause, by = 6)
curves("extinct", d$exact, d$extinct, by = 6)
save_long("competing_risks_curves.csv")

gray <- function(key, time, cause, group, ...) {
  tests <- cuminc(time, cause, group, ...)$Tests
  add(key, "statistic", tests[, "stat"])
  add(key, "p", tests[, "pv"])
}
gray("tied", d$time, d$cause, d$group)
gray("exact", d$exact, d$cause, d$group)
gray("extinct", d$exact, d$extinct, d$group)
gray("tied_strata", d$time, d$cause, d$group, strata = d$stratum)
gray("two", d$time, d$cause, d$rim)
gray("two_strata", d$exact, d$cause, d$rim, strata = d$group)
save_long("competing_risks_gray.csv")

fine_gray <- function(key, time, cause, interest) {
  x <- as.matrix(d[, c("size", "rim", "age")])
  fit <- crr(time, cause, x, failcode = interest, gtol = 1e-14, maxiter = 50)
  z <- fit$coef / sqrt(diag(fit$var))
  add(key, "coef", fit$coef)
  add(key, "covariance", fit$var)
  add(key, "z", z)
  add(key, "p", 2 * pnorm(-abs(z)))
  add(key, "log_likelihood", fit$loglik)
  add(key, "null_log_likelihood", fit$loglik.null)
  add(key, "time", fit$uftime)
  add(key, "hazard", cumsum(fit$bfitj))
  for (i in 1:2) add(paste0(key, "_patient", i), "incidence", predict(fit, x[i, ])[, 2])
}
for (interest in 1:3) fine_gray(paste0("tied_", interest), d$time, d$cause, interest)
for (interest in 1:2) fine_gray(paste0("exact_", interest), d$exact, d$cause, interest)
fine_gray("extinct_1", d$exact, d$extinct, 1)
save_long("fine_gray.csv")
