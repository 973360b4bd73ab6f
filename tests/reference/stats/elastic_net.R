# Reference values of tests/stats/linear_models/test_elastic_net.py, test_elastic_net_choice.py and
# test_network_penalty.py: Rscript elastic_net.R, in this folder (glmnet, survival).
suppressPackageStartupMessages({library(glmnet); library(survival)})
set.seed(20260611)
glmnet.control(fdev = 0)
number <- function(x) sprintf("%.15g", x)

simulate <- function(name, n, p) {
  latent <- matrix(rnorm(n * 5), n)
  x <- round(latent[, rep(1:5, length.out = p)] * 0.7 + matrix(rnorm(n * p), n), 2)
  x <- sweep(x, 2, rep(c(1, 10, 0.1, 5), length.out = p), "*")
  x <- sweep(x, 2, rep(c(0, 3, -7), length.out = p), "+")
  linear <- latent[, 1] - 0.8 * latent[, 2]
  label <- as.integer(linear + rlogis(n) > 0.3)
  time <- round(rexp(n, exp(0.7 * linear) / 20), 5) + 0.00001
  data.frame(case = name, label = label, score = round(linear + rnorm(n), 3), time = time,
             tied = ceiling(time / 4), event = as.integer(runif(n) < 0.7),
             fold = sample(rep(1:5, length.out = n)), x)
}
inputs <- list(wide = simulate("wide", 60, 80), tall = simulate("tall", 120, 8))
for (name in names(inputs)) {
  numbers <- inputs[[name]][, -1]
  text <- as.data.frame(lapply(numbers, function(column) sprintf("%.8g", column)))
  write.csv(cbind(case = name, text), paste0("elastic_net_", name, ".csv"), row.names = FALSE, quote = FALSE)
}

target <- function(d, family) {
  switch(family, binomial = d$label, gaussian = d$score, cox = Surv(d$time, d$event),
         cox_tied = Surv(d$tied, d$event))
}
exact <- list(thresh = 1e-20, maxit = 1e7)
paths <- coefs <- cvs <- choices <- NULL
for (case in names(inputs)) for (family in c("binomial", "gaussian", "cox", "cox_tied")) {
  # glmnet's gaussian elastic net scales the quadratic part by the standard deviation of the target.
  for (alpha in c(1, if (family != "gaussian") 0.5)) {
    d <- read.csv(paste0("elastic_net_", case, ".csv"))
    x <- as.matrix(d[, -(1:7)])
    y <- target(d, family)
    kind <- sub("_tied", "", family)
    lambda <- glmnet(x, y, family = kind, alpha = alpha)$lambda
    # Coordinate descent needs hours for the end of a Cox path with more variables than patients.
    if (kind == "cox" && case == "wide") lambda <- lambda[lambda > 0.1 * lambda[1]]
    fit <- do.call(glmnet, c(list(x, y, family = kind, alpha = alpha, lambda = lambda), exact))
    key <- data.frame(case = case, family = family, alpha = alpha)
    m <- length(fit$lambda)
    some <- seq(1, m, by = 3)
    paths <- rbind(paths, cbind(key, index = some, lambda = number(fit$lambda[some]),
                                ratio = number(fit$dev.ratio[some])))
    for (i in unique(round(c(0.2, 0.5, 0.8, 1) * m))) {
      b <- as.matrix(fit$beta)[, i]
      kept <- which(b != 0)
      constant <- if (is.null(fit$a0)) 0 else fit$a0[i]
      coefs <- rbind(coefs, cbind(key, index = i, variable = c(0, kept),
                                  value = number(c(constant, b[kept]))))
    }
    cv <- suppressWarnings(do.call(cv.glmnet, c(list(
      x, y, family = kind, alpha = alpha, foldid = d$fold, lambda = fit$lambda), exact)))
    cvs <- rbind(cvs, cbind(key, index = some, mean = number(cv$cvm[some]),
                            se = number(cv$cvsd[some])))
    choices <- rbind(choices, cbind(key, length = m, min = number(cv$lambda.min),
                                    one_se = number(cv$lambda.1se)))
  }
}
save_as <- function(table, name) {
  write.csv(table, paste0("elastic_net_", name, ".csv"), row.names = FALSE, quote = FALSE)
}
save_as(paths, "paths"); save_as(coefs, "coefs"); save_as(cvs, "cv"); save_as(choices, "choices")

# A path that ends early: classes that one variable separates.
x <- round(matrix(rnorm(30 * 8), 30), 3)
label <- as.integer(x[, 1] > 0)
write.csv(data.frame(label = label, x), "elastic_net_separated.csv", row.names = FALSE,
          quote = FALSE)
fit <- do.call(glmnet, c(list(x, label, family = "binomial"), exact))
given <- fit$lambda[1] * 10^-seq(0, 4, length.out = 60)
end <- do.call(glmnet, c(list(x, label, family = "binomial", lambda = given), exact))
coefficients <- as.matrix(coef(end))[, 60]
ends <- data.frame(length = length(fit$lambda), ratio = number(tail(fit$dev.ratio, 1)),
                   t(setNames(number(coefficients), paste0("coef", 0:8))))
save_as(ends, "separated_end")
