# Reference values of tests/omics/test_penalised_cox.py and of the strata in
# tests/stats/linear_models/test_stratified_elastic_net.py: LASSO and elastic-net Cox regression,
# plain and stratified by cohort, their cross-validation, and the smallest penalty with few genes.
# Run in this folder: Rscript penalised_cox.R (packages glmnet, survival).
suppressPackageStartupMessages({library(glmnet); library(survival)})
set.seed(20260708)
# Stratified paths are solved in R by Newton steps, which usually end at a change of 1e-6.
glmnet.control(fdev = 0, epsnr = 1e-15, mxitnr = 200)
number <- function(x) sprintf("%.15g", x)

sizes <- c(a = 60, b = 45, c = 35)
cohort <- rep(names(sizes), sizes)
n <- sum(sizes)
latent <- matrix(rnorm(n * 4), n)
x <- latent[, rep(1:4, length.out = 30)] * 0.6 + matrix(rnorm(n * 30), n)
colnames(x) <- paste0("g", 1:30)
baseline <- c(a = 20, b = 6, c = 60)[cohort]
time <- rexp(n, exp(0.6 * x[, 3] - 0.5 * x[, 8])) * baseline
end <- runif(n, 5, 80)
# Months as they are recorded, so that events are tied; cohorts on platforms of their own.
shift <- c(a = 5, b = 9, c = 0)[cohort]
spread <- c(a = 1, b = 2, c = 0.5)[cohort]
input <- data.frame(cohort, time = pmax(round(pmin(time, end), 1), 0.1),
                    event = as.integer(time <= end), fold = sample(rep(1:5, length.out = n)),
                    round(shift + spread * x, 3))
write.csv(input, "penalised_cox_input.csv", row.names = FALSE, quote = FALSE)
input <- read.csv("penalised_cox_input.csv")

raw <- as.matrix(input[, -(1:4)])
standard <- raw
for (one in unique(cohort)) standard[cohort == one, ] <- scale(raw[cohort == one, ])
exact <- list(thresh = 1e-18, maxit = 1e7)
values <- coefs <- NULL
for (where in c("one", "several")) for (alpha in c(1, 0.5)) {
  # One cohort is the first alone, as it was measured.
  rows <- if (where == "one") cohort == "a" else rep(TRUE, n)
  z <- if (where == "one") raw[rows, ] else standard
  y <- Surv(input$time[rows], input$event[rows])
  if (where == "several") y <- stratifySurv(y, cohort)
  fold <- input$fold[rows]
  lambda <- suppressWarnings(glmnet(z, y, family = "cox", alpha = alpha, nlambda = 20,
                                    lambda.min.ratio = 0.05))$lambda
  fit <- do.call(glmnet, c(list(z, y, family = "cox", alpha = alpha, lambda = lambda), exact))
  cv <- do.call(cv.glmnet, c(list(z, y, family = "cox", alpha = alpha, lambda = lambda,
                                  foldid = fold, grouped = TRUE), exact))
  key <- data.frame(where, alpha)
  values <- rbind(values, cbind(
    key, index = seq_along(lambda), lambda = number(fit$lambda), ratio = number(fit$dev.ratio),
    genes = fit$df, mean = number(cv$cvm), se = number(cv$cvsd),
    min = fit$lambda == cv$lambda.min, one_se = fit$lambda == cv$lambda.1se))
  # Per standard deviation (n - 1), as the cohorts together already are.
  deviation <- if (where == "one") apply(z, 2, sd) else rep(1, ncol(z))
  chosen <- match(c(cv$lambda.min, cv$lambda.1se), fit$lambda)
  for (i in unique(c(chosen, round(c(0.3, 0.6, 1) * length(lambda))))) {
    b <- as.matrix(fit$beta)[, i]
    coefs <- rbind(coefs, cbind(key, index = i, gene = names(b)[b != 0],
                                coef = number((b * deviation)[b != 0])))
  }
}
write.csv(values, "penalised_cox_path.csv", row.names = FALSE, quote = FALSE)
write.csv(coefs, "penalised_cox_coefs.csv", row.names = FALSE, quote = FALSE)
