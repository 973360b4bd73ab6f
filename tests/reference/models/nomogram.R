# Reference values of tests/models/test_nomogram.py: Rscript nomogram.R, in this folder (rms).
suppressPackageStartupMessages(library(rms))
options(digits = 17)
d <- read.csv("survival_input.csv")
d$stage <- factor(d$stage)
d$response <- as.integer(d$time > 12)
dd <- datadist(d)
options(datadist = "dd")
S <- Surv(d$time, d$event)
ages <- seq(30, 90, 10)
afps <- seq(-1, 6, 1)
rads <- seq(-3, 3, 1)
points <- function(kind, n) {
  one <- function(variable, axis, value) data.frame(
    kind = kind, variable = variable, value = as.character(value),
    points = sprintf("%.17g", axis$points))
  rbind(one("age", n$age, ages), one("afp", n$afp, afps), one("male", n$male, c(0, 1)),
        one("stage", n$stage, levels(d$stage)), one("rad", n$rad, rads))
}
cox <- cph(S ~ age + afp + male + stage + rad, d, x = TRUE, y = TRUE, surv = TRUE,
           method = "efron", eps = 1e-12, tol = 1e-14, iter.max = 100)
surv <- Survival(cox)
horizons <- c(6, 12, 24)
n <- nomogram(cox, age = ages, afp = afps, male = c(0, 1), rad = rads)
logistic <- lrm(response ~ age + afp + male + stage + rad, d, tol = 1e-14, eps = 1e-14, maxit = 100)
m <- nomogram(logistic, age = ages, afp = afps, male = c(0, 1), rad = rads)
write.csv(rbind(points("cox", n), points("logistic", m)), "nomogram_points.csv",
          row.names = FALSE, quote = FALSE)
totals <- seq(0, 240, 20)
# The linear predictor at a total of points, as the nomogram itself holds it.
predictor <- function(n) attr(n, "info")$Intercept + totals / attr(n, "info")$sc
read <- data.frame(total_points = totals, sapply(horizons, surv, lp = predictor(n)),
                   plogis(predictor(m)))
names(read)[-1] <- c(paste0(horizons, "-month survival"), "response")
read[-1] <- lapply(read[-1], function(x) sprintf("%.17g", x))
write.csv(read, "nomogram_totals.csv", row.names = FALSE, quote = FALSE)
forward <- data.frame(
  position = seq_len(nrow(d)),
  survival_6 = sprintf("%.17g", surv(6, predict(cox, d))),
  survival_24 = sprintf("%.17g", surv(24, predict(cox, d))),
  response = sprintf("%.17g", predict(logistic, d, type = "fitted")))
write.csv(forward, "nomogram_patients.csv", row.names = FALSE, quote = FALSE)
