# Reference values of restricted cubic splines and of the calibration of predicted risks.
# Packages survival, Hmisc, rms. Run in this folder: Rscript survival_calibration.R
# Writes its own simulated input (survival_calibration_input.csv) and what R says of it.
suppressMessages({library(survival); library(Hmisc); library(rms)})
set.seed(20240609)

digits <- function(x) ifelse(is.na(x), "nan", sprintf("%.17g", x))
rows <- list()
add <- function(model, name, value) {
  rows[[length(rows) + 1]] <<- data.frame(model, name, index = seq_along(value) - 1,
                                          value = as.vector(value))
}
save_long <- function(file) {
  table <- do.call(rbind, rows)
  table$value <- digits(table$value)
  write.csv(table, file, row.names = FALSE, quote = FALSE)
  rows <<- list()
}

# Predictions too extreme, and wrong in shape.
n <- 260
x <- round(rnorm(n), 4)
death <- rexp(n, 0.03 * exp(0.7 * x + 0.15 * x^2))
end <- runif(n, 8, 60)
time <- ceiling(4 * pmin(death, end)) / 4
event <- as.integer(death <= end)
risk <- round(1 - exp(-24 * 0.025 * exp(1.2 * x)), 6)
input <- data.frame(time, event, x, risk)
write.csv(input, "survival_calibration_input.csv", row.names = FALSE, quote = FALSE)

# Splines: Hmisc's knots and basis; few values, ties and clumps at either end.
clumped <- c(rep(0, 40), round(abs(x[1:160]) * 3, 2) + 0.5, rep(20, 15))
samples <- list(many = x, few = x[1:60], tied = round(x * 2) / 2, clumped = clumped,
                low = c(rep(0, 30), round(abs(x[1:200]), 3) + 0.1))
for (key in names(samples)) {
  for (count in 3:7) {
    if (key == "tied" && count > 5) next
    knots <- rcspline.eval(samples[[key]], nk = count, knots.only = TRUE)
    add(paste(key, count, sep = "_"), "knots", knots)
  }
}
for (key in c("clumped", "low")) add(key, "sample", samples[[key]])
grid <- seq(-4, 4, by = 0.25)
for (count in 3:5) {
  knots <- rcspline.eval(x, nk = count, knots.only = TRUE)
  add(paste("basis", count, sep = "_"), "basis", t(rcspline.eval(grid, knots, inclx = TRUE)))
}
add("basis", "grid", grid)
save_long("restricted_cubic_spline.csv")

tight <- coxph.control(eps = 1e-14, iter.max = 60, toler.chol = 1e-15)
position <- log(-log(1 - risk))
for (horizon in c(12, 24)) {
  model <- paste0("at_", horizon)
  at <- function(data) {
    found <- summary(survfit(Surv(time, event) ~ 1, data, conf.type = "log-log"), times = horizon)
    c(1 - found$surv, 1 - found$upper, 1 - found$lower)
  }
  cut_at <- quantile(risk, 1:4 / 5)
  group <- findInterval(risk, cut_at, left.open = TRUE)
  for (g in 0:4) {
    part <- input[group == g, ]
    add(paste(model, "group", g, sep = "_"), "observed", at(part))
    add(paste(model, "group", g, sep = "_"), "counts",
        c(nrow(part), sum(part$event & part$time <= horizon), sum(part$time >= horizon)))
    add(paste(model, "group", g, sep = "_"), "predicted", mean(part$risk))
  }
  add(model, "ratio", at(input) / mean(risk))
  for (count in 3:4) {
    knots <- rcspline.eval(position, nk = count, knots.only = TRUE)
    basis <- rcspline.eval(position, knots, inclx = TRUE)
    colnames(basis) <- paste0("b", seq_len(ncol(basis)))
    data <- data.frame(time, event, basis)
    right <- paste(colnames(basis), collapse = " + ")
    fit <- coxph(as.formula(paste("Surv(time, event) ~", right)), data, control = tight)
    found <- summary(survfit(fit, data, conf.type = "log"), times = horizon)
    observed <- 1 - as.vector(found$surv)
    gap <- abs(observed - risk)
    add(paste(model, "knots", count, sep = "_"), "distances",
        c(mean(gap), median(gap), quantile(gap, 0.9), max(gap)))
    if (count != 3 || horizon != 12) next
    ends <- quantile(risk, c(0.01, 0.99))
    drawn <- seq(ends[1], ends[2], length.out = 100)
    new <- rcspline.eval(log(-log(1 - drawn)), knots, inclx = TRUE)
    colnames(new) <- colnames(basis)
    found <- summary(survfit(fit, data.frame(new), conf.type = "log"), times = horizon)
    add(paste(model, "knots", count, sep = "_"), "observed", 1 - found$surv)
    add(paste(model, "knots", count, sep = "_"), "low", 1 - found$upper)
    add(paste(model, "knots", count, sep = "_"), "high", 1 - found$lower)
  }
  # The published recipe, with rms: cph on rcs(), survest at the horizon.
  frame <- data.frame(time, event, position)
  spline <- cph(Surv(time, event) ~ rcs(position, 3), frame, x = TRUE, y = TRUE, surv = TRUE)
  smooth <- 1 - survest(spline, frame, times = horizon, se.fit = FALSE)$surv
  add(model, "rms_ici", mean(abs(smooth - risk)))
  short <- pmin(time, horizon)
  died <- event == 1 & time <= horizon
  slope <- coxph(Surv(short, died) ~ position, control = tight)
  add(model, "slope", c(coef(slope), sqrt(vcov(slope)[1])))
}
slope <- coxph(Surv(time, event) ~ position, control = tight)
z <- (coef(slope) - 1) / sqrt(vcov(slope)[1])
add("all", "slope", c(coef(slope), sqrt(vcov(slope)[1]), 2 * pnorm(-abs(z))))
save_long("survival_calibration.csv")
