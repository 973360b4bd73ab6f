# Reference values of tests/models/survival: Rscript survival_models.R, in this folder
# (survival, glmnet).
suppressPackageStartupMessages({ library(survival); library(glmnet) })
options(digits = 17)
long <- function(what, x) data.frame(what = what, position = seq_along(x),
                                     value = sprintf("%.17g", as.vector(x)))
control <- coxph.control(eps = 1e-14, iter.max = 200, toler.chol = 1e-16)
d <- read.csv("survival_input.csv")
d$stage_B <- as.numeric(d$stage == "B")
d$stage_C <- as.numeric(d$stage == "C")
new <- data.frame(age = c(50, 75), afp = c(1, 4), male = c(0, 1), stage_B = c(1, 0),
                  stage_C = c(0, 1), rad = c(-1, 1.5))
times <- c(0, 3, 12, 12.5, 36, 57)
at <- function(f) t(summary(f, times = times)$surv)
out <- list()
for (ties in c("efron", "breslow")) {
  fit <- coxph(Surv(time, event) ~ age + afp + male + stage_B + stage_C + rad, d, ties = ties,
               control = control)
  out <- c(out, list(long(paste0("cox_", ties, "_coef"), coef(fit)),
                     long(paste0("cox_", ties, "_risk"), predict(fit, new, type = "lp")),
                     long(paste0("cox_", ties, "_survival"), at(survfit(fit, newdata = new)))))
  for (theta in c(1, 25)) {
    r <- coxph(Surv(time, event) ~ ridge(age, afp, male, stage_B, stage_C, rad, theta = theta,
                                         scale = FALSE), d, ties = ties, control = control)
    out <- c(out, list(long(paste0("ridge_", ties, "_", theta, "_coef"), coef(r))))
  }
}
w <- read.csv("survival_wide_input.csv")
x <- as.matrix(w[, -(1:2)])
y <- Surv(w$time, w$event)
glmnet.control(fdev = 0, devmax = 1)
path <- function(alpha, lambda) {
  lambdas <- exp(seq(log(max(2, 2 * lambda)), log(lambda), length.out = 60))
  fit <- glmnet(x, y, family = "cox", alpha = alpha, lambda = lambdas, standardize = FALSE,
                thresh = 1e-22, maxit = 1e7)
  as.vector(coef(fit, s = lambda))
}
out <- c(out, list(long("glmnet_ridge_0.5", path(0, 0.5)), long("glmnet_lasso_0.08", path(1, 0.08)),
                   long("glmnet_net_0.15", path(0.5, 0.15))))
one <- glmnet(x, y, family = "cox", alpha = 1, standardize = FALSE)
out <- c(out, list(long("glmnet_largest", one$lambda[1])))
write.csv(do.call(rbind, out), "survival_models.csv", row.names = FALSE, quote = FALSE)
