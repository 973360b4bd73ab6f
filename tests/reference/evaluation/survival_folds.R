# Out-of-fold risk and survival of a Cox model, and their concordance. Package survival.
# Run in this folder: Rscript survival_folds.R
# Writes its own simulated input (survival_folds_input.csv) and what R says of it.
suppressMessages(library(survival))
set.seed(20250302)

n <- 90
x1 <- round(rnorm(n), 3)
x2 <- round(rnorm(n), 3)
site <- sample(c("north", "south"), n, replace = TRUE)
death <- rexp(n, 0.05 * exp(0.8 * x1 + 0.7 * (site == "south")))
end <- runif(n, 6, 40)
time <- ceiling(10 * pmin(death, end)) / 10
event <- as.integer(death <= end)
input <- data.frame(patient = paste0("P", seq_len(n)), time, event, x1, x2, site)
for (repeat_ in 0:1) input[[paste0("fold", repeat_)]] <- sample(rep(0:2, length.out = n))
write.csv(input, "survival_folds_input.csv", row.names = FALSE, quote = FALSE)

horizons <- c(6, 12.5, 24)
tight <- coxph.control(eps = 1e-14, iter.max = 60, toler.chol = 1e-15)
rows <- list()
add <- function(kind, repeat_, patient, value) {
  rows[[length(rows) + 1]] <<- data.frame(kind, repeat_, patient, value = sprintf("%.17g", value))
}
for (repeat_ in 0:1) {
  fold <- input[[paste0("fold", repeat_)]]
  risk <- numeric(n)
  for (k in 0:2) {
    held <- fold == k
    fit <- coxph(Surv(time, event) ~ x1 + x2, input[!held, ], control = tight)
    centre <- colMeans(input[!held, c("x1", "x2")])
    risk[held] <- as.matrix(sweep(input[held, c("x1", "x2")], 2, centre)) %*% coef(fit)
    curves <- summary(survfit(fit, newdata = input[held, ]), times = horizons)$surv
    for (h in seq_along(horizons)) {
      add(paste0("survival_", horizons[h]), repeat_, input$patient[held], curves[h, ])
    }
  }
  add("risk", repeat_, input$patient, risk)
  whole <- concordance(Surv(time, event) ~ risk, input, reverse = TRUE)
  within <- concordance(Surv(time, event) ~ risk + strata(site), input, reverse = TRUE)
  add("c_index", repeat_, "all", c(whole$concordance, whole$var))
  add("c_index", repeat_, "within", c(within$concordance, within$var))
}
write.csv(do.call(rbind, rows), "survival_folds.csv", row.names = FALSE, quote = FALSE)
